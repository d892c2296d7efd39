//! Objects of buckets, read from a folder: `<folder>/<bucket>/<key>`.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use etl::ports::{Object, ObjectError, Objects};

use super::below;

/// A folder with a folder for each bucket, and the files of the machine.
#[derive(Debug)]
pub struct LocalObjects {
    folder: Option<PathBuf>,
    dir: PathBuf,
}

impl LocalObjects {
    /// Reads objects from `folder`; without one, no object can be read. Files with a relative path are those of `dir`.
    pub fn new(folder: Option<PathBuf>, dir: PathBuf) -> Self {
        Self { folder, dir }
    }
}

fn read(path: &Path) -> Result<Object, ObjectError> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    match opened {
        Ok((metadata, _)) if metadata.is_dir() => Err(ObjectError::Gone),
        Ok((metadata, file)) => Ok(Object { reader: Box::new(BufReader::new(file)), size: Some(metadata.len()) }),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => ObjectError::Gone,
            ErrorKind::PermissionDenied => ObjectError::Denied(error.kind().to_string()),
            kind => ObjectError::Outage(kind.to_string()),
        }),
    }
}

impl Objects for LocalObjects {
    /// A folder keeps no versions: whatever version is asked for, it is the one that is there.
    fn open(&self, bucket: &str, key: &str, _version_id: Option<&str>) -> Result<Object, ObjectError> {
        let folder = self
            .folder
            .as_ref()
            .ok_or_else(|| ObjectError::Outage("no folder of objects is given: --objects DIR".to_owned()))?;
        read(&below(&below(folder, &bucket.replace('/', "%2F")), key))
    }

    fn file(&self, path: &str) -> Result<Object, ObjectError> {
        read(&self.dir.join(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read as _;

    #[test]
    fn an_object_is_a_file_in_the_folder_of_its_bucket() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("root/logs/a b")).unwrap();
        fs::write(dir.path().join("root/logs/a b/c.json"), "{}").unwrap();
        fs::write(dir.path().join("secret"), "not for you").unwrap();
        let objects = LocalObjects::new(Some(dir.path().join("root")), dir.path().into());
        let mut object = objects.open("logs", "a b/c.json", Some("v1")).unwrap();
        let mut text = String::new();
        object.reader.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), object.size), ("{}", Some(2)));
        for (bucket, key) in
            [("logs", "a b"), ("logs", "a b/c.json/d"), ("logs", "../../secret"), ("..", "secret"), ("../..", "secret")]
        {
            assert_eq!(objects.open(bucket, key, None).unwrap_err(), ObjectError::Gone, "{bucket} {key}");
        }
        assert_eq!(objects.file("secret").unwrap().size, Some(11), "a file that the config names");
    }

    #[test]
    fn without_a_folder_the_way_out_is_said() {
        let error = LocalObjects::new(None, PathBuf::new()).open("b", "k", None).unwrap_err().to_string();
        assert!(error.contains("--objects DIR"), "{error}");
    }
}
