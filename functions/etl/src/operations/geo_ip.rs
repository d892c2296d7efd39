//! `GeoIpOperation`: where in the world an address is.
//!
//! Imports: `build`, `component`, `event`, `field`, `late`, `need`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
    late::Late,
    need::{Need, Target},
};
use bon::Builder;
use maxminddb::{Reader, geoip2};
use payload::{New, Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt::{self, Write as _},
    io::Read as _,
    net::IpAddr,
};

/// Looks an address up in a `MaxMind` database of cities and adds what it says as an object.
///
/// The field holds one IP address, or several with commas between, of which the first counts. Names are in English, and what the database
/// does not know of an address is left out. Host names are not looked up. (Bender asks DNS for whatever stands in the field: a defect, mended.)
/// A field that is missing, no address, or not in the database leaves the event as it is, or fails it: see `fail_on_not_found`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct GeoIpOperation {
    /// Path of the field with the address: `$.sourceIPAddress`.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub src_field_name: String,
    /// Path of the object that is added.
    #[serde(default = "geo_ip")]
    #[builder(default = geo_ip(), into)]
    #[schemars(extend("format" = "path"))]
    pub dst_field_name: String,
    /// The database, in the `mmdb` format: `s3://bucket/key`, or a file of the function's package (`GeoLite2-City.mmdb`, `file://…`). It is
    /// read once, when the function starts, and kept in memory.
    #[builder(into)]
    pub geo_lite_db: Late<String>,
    /// What to add. An empty list adds an empty object.
    #[serde(default)]
    #[builder(default)]
    pub geo_properties: Vec<GeoProperty>,
    /// Whether an event without an address that is in the database fails.
    #[serde(default)]
    #[builder(default)]
    pub fail_on_not_found: bool,
}

fn geo_ip() -> String {
    "geo_ip".to_owned()
}

/// What a database says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GeoProperty {
    /// `country_name`: `France`.
    CountryName,
    /// `country_iso_code`: `FR`.
    CountryIsoCode,
    /// `subdivision_name`: the smallest known part of the country, such as `Essonne`.
    SubdivisionName,
    /// `subdivision_iso_code`: its code without the country, such as `91`.
    SubdivisionIsoCode,
    /// `city_name`: `Massy`.
    CityName,
    /// `postal_code`: `91300`.
    PostalCode,
    /// `location`: `{"lat": 48.73, "lon": 2.27}`. An address whose place is not known counts as not found.
    Location,
}

impl Component for GeoIpOperation {
    const NAME: &'static str = "GeoIpOperation";
    const EXAMPLE: &'static str = "type: GeoIpOperation\nsrc_field_name: $.sourceIPAddress\ngeo_lite_db: s3://my-bucket/GeoLite2-City.mmdb\n\
                                   geo_properties: [COUNTRY_ISO_CODE, CITY_NAME, LOCATION]\n";

    fn needs(&self) -> Vec<Need> {
        let elsewhere = match &self.geo_lite_db {
            Late::Now(database) => matches!(place(database), Some(Place::Object { .. })),
            // Nobody names a file of the package by a variable: with another package comes another config.
            Late::Env(_) => true,
        };
        let need = || Need { actions: &["s3:GetObject"], on: Target::Object(self.geo_lite_db.clone()) };
        elsewhere.then(need).into_iter().collect()
    }

    fn check(&self) -> Vec<Mistake> {
        let wrong = self.geo_lite_db.now().is_some_and(|db| place(db).is_none());
        let mistake = || {
            let message = "the database is neither an object of a bucket nor a file";
            Mistake::new("geo_lite_db", message).help("write `s3://bucket/key`, or the path of a file of the package")
        };
        wrong.then(mistake).into_iter().collect()
    }
}

/// Where the database is.
enum Place<'a> {
    Object { bucket: &'a str, key: &'a str },
    File(&'a str),
}

fn place(address: &str) -> Option<Place<'_>> {
    match address.split_once("://") {
        Some(("s3", object)) => {
            let (bucket, key) = object.split_once('/')?;
            (!bucket.is_empty() && !key.is_empty()).then_some(Place::Object { bucket, key })
        }
        Some(("file", path)) if !path.is_empty() => Some(Place::File(path)),
        None if !address.is_empty() => Some(Place::File(address)),
        _ => None,
    }
}

/// The database, and the paths, read once.
pub struct State {
    from: Path,
    to: Path,
    database: Reader<Vec<u8>>,
    text: String,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

impl Operation for GeoIpOperation {
    type State = State;

    fn state(&self, cx: &BuildCx<'_>) -> Result<State, BuildError> {
        let address = self.geo_lite_db.now().map(String::as_str).unwrap_or_default();
        let wrong = |why: &dyn fmt::Display| BuildError::new(format!("geo_lite_db `{address}` cannot be read: {why}"));
        let opened = match place(address).ok_or_else(|| wrong(&"it is neither an object of a bucket nor a file"))? {
            Place::Object { bucket, key } => cx.objects.open(bucket, key, None),
            Place::File(path) => cx.objects.file(path),
        };
        let mut object = opened.map_err(|error| wrong(&error))?;
        let mut bytes = Vec::with_capacity(object.size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default());
        object.reader.read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
        let database = Reader::from_source(bytes).map_err(|error| wrong(&error))?;
        Ok(State {
            from: field::path(&self.src_field_name)?,
            to: field::path(&self.dst_field_name)?,
            database,
            text: String::new(),
        })
    }

    fn perform(&self, state: &mut State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let State { from, to, database, text } = state;
        let found = event.payload.get(from).filter(|value| !value.is_null()).map(Value::to_text);
        let address = found.and_then(|text| text.split(',').next()?.parse::<IpAddr>().ok());
        let city = address
            .and_then(|address| database.lookup(address.to_canonical()).ok()?.decode::<geoip2::City<'_>>().ok()?);
        text.clear();
        if city.is_some_and(|city| self.describe(&city, text).is_some()) {
            event.payload.set(to, New::Json(text))?;
        } else if self.fail_on_not_found {
            return Err(Fault::new("no address that is in the database"));
        }
        Ok(Outcome::Pass)
    }
}

impl GeoIpOperation {
    /// Writes the object. None if a place was asked for and is not known.
    fn describe(&self, city: &geoip2::City<'_>, out: &mut String) -> Option<()> {
        out.push('{');
        let subdivision = city.subdivisions.last();
        for property in &self.geo_properties {
            match property {
                GeoProperty::CountryName => member(out, "country_name", city.country.names.english),
                GeoProperty::CountryIsoCode => member(out, "country_iso_code", city.country.iso_code),
                GeoProperty::SubdivisionName => {
                    member(out, "subdivision_name", subdivision.and_then(|s| s.names.english));
                }
                GeoProperty::SubdivisionIsoCode => {
                    member(out, "subdivision_iso_code", subdivision.and_then(|s| s.iso_code));
                }
                GeoProperty::CityName => member(out, "city_name", city.city.names.english),
                GeoProperty::PostalCode => member(out, "postal_code", city.postal.code),
                GeoProperty::Location => {
                    let (lat, lon) = (city.location.latitude?, city.location.longitude?);
                    comma(out);
                    write!(out, "\"location\":{{\"lat\":{lat:?},\"lon\":{lon:?}}}").ok()?;
                }
            }
        }
        out.push('}');
        Some(())
    }
}

fn comma(out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
}

fn member(out: &mut String, name: &str, value: Option<&str>) {
    let Some(value) = value.and_then(|value| serde_json::to_string(value).ok()) else { return };
    comma(out);
    out.extend(["\"", name, "\":", &value]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        ports::{Object, ObjectError, Objects},
        testing::{NoObjects, cx, perform_with},
    };
    use serde_json::Value as Json;
    use std::{fs, io::Cursor, path::PathBuf};

    fn corpus(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/geoip").join(name)
    }

    /// The test database under `geo` in the bucket `b`, and as the file `geo`. None where the corpus is not there.
    struct Database(Vec<u8>);

    impl Database {
        fn load() -> Option<Self> {
            let bytes = fs::read(corpus("GeoIP2-City-Test.mmdb")).ok();
            if bytes.is_none() {
                println!("skipped: the corpus is not there");
            }
            bytes.map(Self)
        }
    }

    impl Objects for Database {
        fn open(&self, bucket: &str, key: &str, _: Option<&str>) -> Result<Object, ObjectError> {
            if (bucket, key) == ("b", "geo") { self.file("geo") } else { Err(ObjectError::Gone) }
        }

        fn file(&self, path: &str) -> Result<Object, ObjectError> {
            if path != "geo" {
                return Err(ObjectError::Gone);
            }
            Ok(Object { reader: Box::new(Cursor::new(self.0.clone())), size: Some(self.0.len() as u64) })
        }
    }

    fn lookup(database: &Database, operation: &GeoIpOperation, ip: &str) -> Result<String, &'static str> {
        let text = format!(r#"{{"ip":"{ip}"}}"#);
        perform_with(operation, database, &mut Facts::default(), &text)
            .map(Result::unwrap)
            .map_err(|fault| fault.reason)
    }

    #[test]
    fn the_first_address_is_looked_up_and_nothing_is_resolved() {
        use GeoProperty::{CountryIsoCode, Location, PostalCode, SubdivisionIsoCode};
        let Some(database) = Database::load() else { return };
        for db in ["s3://b/geo", "file://geo", "geo"] {
            let all = vec![CountryIsoCode, PostalCode, SubdivisionIsoCode, Location];
            let operation = GeoIpOperation::builder().src_field_name("ip").geo_lite_db(db).geo_properties(all).build();
            let found =
                r#"{"country_iso_code":"GB","subdivision_iso_code":"ENG","location":{"lat":51.5142,"lon":-0.0931}}"#;
            for ip in ["81.2.69.142", "81.2.69.142, 10.0.0.1", "::ffff:81.2.69.142"] {
                assert_eq!(lookup(&database, &operation, ip), Ok(format!(r#"{{"ip":"{ip}","geo_ip":{found}}}"#)));
            }
            for ip in ["10.0.0.1", "", ",", " 81.2.69.142", "localhost"] {
                assert_eq!(lookup(&database, &operation, ip), Ok(format!(r#"{{"ip":"{ip}"}}"#)));
            }
            let strict = GeoIpOperation { fail_on_not_found: true, ..operation };
            assert_eq!(lookup(&database, &strict, "10.0.0.1"), Err("no address that is in the database"));
        }
    }

    #[test]
    fn every_network_of_the_test_database_is_found_as_expected() {
        use GeoProperty::{CityName, CountryIsoCode, CountryName, Location, PostalCode};
        let Some(database) = Database::load() else { return };
        let all = vec![CountryName, CountryIsoCode, CityName, PostalCode];
        let operation = GeoIpOperation::builder().src_field_name("ip").geo_lite_db("geo").geo_properties(all).build();
        let place = GeoIpOperation { geo_properties: vec![Location], ..operation.clone() };
        let expected = fs::read_to_string(corpus("GeoIP2-City-Test.expected.jsonl")).unwrap();
        for line in expected.lines() {
            let case: Json = serde_json::from_str(line).unwrap();
            let (ip, record) = (case["ip"].as_str().unwrap(), &case["record"]);
            let look = |operation: &GeoIpOperation| -> Json {
                let event: Json = serde_json::from_str(&lookup(&database, operation, ip).unwrap()).unwrap();
                event["geo_ip"].clone()
            };
            let found = look(&operation);
            let ours = ["country_name", "country_iso_code", "city_name", "postal_code"];
            for (ours, theirs) in ours.iter().zip(["country_name", "country", "city", "postal"]) {
                assert_eq!(found[ours], record[theirs], "{ip} {ours}");
            }
            let found = look(&place);
            assert_eq!(found["location"]["lat"], record["location"]["latitude"], "{ip}");
            assert_eq!(found["location"]["lon"], record["location"]["longitude"], "{ip}");
        }
        assert_eq!(expected.lines().count(), 258);
    }

    #[test]
    fn a_database_that_is_not_there_is_an_error_with_its_address() {
        let operation = GeoIpOperation::builder().src_field_name("ip").geo_lite_db("s3://b/missing").build();
        let error = operation.state(&cx(&NoObjects)).unwrap_err();
        assert_eq!(error.message, "geo_lite_db `s3://b/missing` cannot be read: the object is gone");
    }

    #[test]
    fn only_objects_and_files_are_databases() {
        for (db, wrong) in [("s3://b/k", 0), ("s3://b", 1), ("https://x/y", 1), ("GeoLite2.mmdb", 0), ("", 1)] {
            let operation = GeoIpOperation::builder().src_field_name("ip").geo_lite_db(db).build();
            assert_eq!(operation.check().len(), wrong, "{db}");
            assert_eq!(operation.needs().len(), usize::from(db == "s3://b/k"), "{db}");
        }
    }
}
