//! `GeoIpOperation`: where in the world an address is.
//!
//! Imports: `asset`, `build`, `component`, `event`, `field`, `late`, `need`, `payload`.

use super::Operation;
use crate::{
    asset::{self, Asset, Content},
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
    late::Late,
    need::Need,
};
use bon::Builder;
use maxminddb::{Reader, geoip2};
use payload::{New, Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt::{self, Write as _},
    net::IpAddr,
    sync::Arc,
};

/// Of the database. The largest of `MaxMind`'s own have some 300 MB.
const MAX_BYTES: u64 = 1 << 30;

/// Looks an address up in a `MaxMind` database of cities and adds what it says as an object.
///
/// The field holds one IP address, or several with commas between, of which the first counts. Names are in English, and what the database
/// does not know of an address is left out. Host names are not looked up. A field that is missing, no address, or not in the database
/// leaves the event as it is, or fails it: see `fail_on_not_found`.
///
/// # Unlike Bender
///
/// - Only addresses are looked up. (Bender asks DNS for whatever stands in the field.)
/// - A field of commas alone has no address. (In Bender it loses the event and all behind it.)
/// - While the database cannot be read, events that need it come again. (Bender fails at the start, whether an event needs it or not.)
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
    /// read when the first event needs it and kept in memory, once for all operations that name it. While it cannot be read, events with
    /// an address are handed back to the trigger. (Bender reads it when the function starts, and loses every event of a batch that it
    /// cannot read it for.)
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
        asset::need(&self.geo_lite_db).into_iter().collect()
    }

    fn check(&self) -> Vec<Mistake> {
        asset::mistake("geo_lite_db", &self.geo_lite_db).into_iter().collect()
    }
}

/// The database, and the paths.
pub struct State {
    from: Path,
    to: Path,
    database: Asset<Reader<Shared>>,
    text: String,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, database, text: _ } = self;
        f.debug_struct("State").field("from", from).field("to", to).field("database", database).finish_non_exhaustive()
    }
}

/// The file's bytes, which several operations may hold.
struct Shared(Arc<Content>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

fn open(content: &Arc<Content>) -> Result<Reader<Shared>, String> {
    Reader::from_source(Shared(Arc::clone(content))).map_err(|error| error.to_string())
}

impl Operation for GeoIpOperation {
    type State = State;

    fn state(&self, cx: &BuildCx<'_>) -> Result<State, BuildError> {
        Ok(State {
            from: field::path(&self.src_field_name)?,
            to: field::path(&self.dst_field_name)?,
            database: Asset::new(cx.assets, Self::NAME, &self.geo_lite_db, MAX_BYTES),
            text: String::new(),
        })
    }

    fn begin(&self, state: &mut State) {
        state.database.begin();
    }

    fn perform(&self, state: &mut State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let State { from, to, database, text } = state;
        let found = event.payload.get(from).filter(|value| !value.is_null()).map(Value::to_text);
        text.clear();
        let known = match found.and_then(|text| text.split(',').next()?.parse::<IpAddr>().ok()) {
            None => None,
            Some(address) => match database.get(open) {
                Ok(database) => find(database, address).and_then(|city| self.describe(&city, text)),
                Err(outage) => return Ok(Outcome::HandBack(outage)),
            },
        };
        if known.is_some() {
            event.payload.set(to, New::Json(text))?;
        } else if self.fail_on_not_found {
            return Err(Fault::new("no address that is in the database"));
        }
        Ok(Outcome::Pass)
    }
}

fn find(database: &Reader<Shared>, address: IpAddr) -> Option<geoip2::City<'_>> {
    database.lookup(address.to_canonical()).ok()?.decode().ok()?
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
        asset::Assets,
        event::Facts,
        testing::{World, cx, perform_with, step},
    };
    use serde_json::Value as Json;
    use std::{fs, path::PathBuf};

    fn corpus(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/geoip").join(name)
    }

    /// The test database under `geo` in the bucket `b`, and as the file `geo`. None where the corpus is not there.
    fn database() -> Option<(World, Arc<Assets>)> {
        let Ok(bytes) = fs::read(corpus("GeoIP2-City-Test.mmdb")) else {
            println!("skipped: the corpus is not there");
            return None;
        };
        let world = World::new();
        world.objects.put("b", "geo", Ok(bytes.clone()));
        world.objects.put("", "geo", Ok(bytes));
        let assets = Arc::new(Assets::new(world.ports()));
        Some((world, assets))
    }

    fn lookup(assets: &Arc<Assets>, operation: &GeoIpOperation, ip: &str) -> Result<String, &'static str> {
        let text = format!(r#"{{"ip":"{ip}"}}"#);
        perform_with(operation, assets, &mut Facts::default(), &text).map(Result::unwrap).map_err(|fault| fault.reason)
    }

    #[test]
    fn the_first_address_is_looked_up_and_nothing_is_resolved() {
        use GeoProperty::{CountryIsoCode, Location, PostalCode, SubdivisionIsoCode};
        let Some((_, assets)) = database() else { return };
        for db in ["s3://b/geo", "file://geo", "geo"] {
            let all = vec![CountryIsoCode, PostalCode, SubdivisionIsoCode, Location];
            let operation = GeoIpOperation::builder().src_field_name("ip").geo_lite_db(db).geo_properties(all).build();
            let found =
                r#"{"country_iso_code":"GB","subdivision_iso_code":"ENG","location":{"lat":51.5142,"lon":-0.0931}}"#;
            for ip in ["81.2.69.142", "81.2.69.142, 10.0.0.1", "::ffff:81.2.69.142"] {
                assert_eq!(lookup(&assets, &operation, ip), Ok(format!(r#"{{"ip":"{ip}","geo_ip":{found}}}"#)));
            }
            for ip in ["10.0.0.1", "", ",", " 81.2.69.142", "localhost"] {
                assert_eq!(lookup(&assets, &operation, ip), Ok(format!(r#"{{"ip":"{ip}"}}"#)));
            }
            let strict = GeoIpOperation { fail_on_not_found: true, ..operation };
            assert_eq!(lookup(&assets, &strict, "10.0.0.1"), Err("no address that is in the database"));
        }
    }

    #[test]
    fn every_network_of_the_test_database_is_found_as_expected() {
        use GeoProperty::{CityName, CountryIsoCode, CountryName, Location, PostalCode};
        let Some((_, assets)) = database() else { return };
        let all = vec![CountryName, CountryIsoCode, CityName, PostalCode];
        let operation = GeoIpOperation::builder().src_field_name("ip").geo_lite_db("geo").geo_properties(all).build();
        let place = GeoIpOperation { geo_properties: vec![Location], ..operation.clone() };
        let expected = fs::read_to_string(corpus("GeoIP2-City-Test.expected.jsonl")).unwrap();
        for line in expected.lines() {
            let case: Json = serde_json::from_str(line).unwrap();
            let (ip, record) = (case["ip"].as_str().unwrap(), &case["record"]);
            let look = |operation: &GeoIpOperation| -> Json {
                let event: Json = serde_json::from_str(&lookup(&assets, operation, ip).unwrap()).unwrap();
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
    fn an_event_is_handed_back_while_the_database_cannot_be_read_and_only_if_it_needs_it() {
        let Some((world, assets)) = database() else { return };
        let operation = GeoIpOperation::builder().src_field_name("ip").geo_lite_db("s3://b/later").build();
        let mut state = operation.state(&cx(&assets)).unwrap();
        let mut perform = |text| step(&operation, &mut state, &mut Facts::default(), text).unwrap();
        assert_eq!(perform(r#"{"ip":"localhost"}"#), Ok(r#"{"ip":"localhost"}"#.to_owned()));
        assert_eq!(world.objects.opened(), Vec::<String>::new());
        assert_eq!(perform(r#"{"ip":"81.2.69.142"}"#), Err("the file that it works with is not there"));
        world.objects.put("b", "later", Ok(fs::read(corpus("GeoIP2-City-Test.mmdb")).unwrap()));
        operation.begin(&mut state);
        let found = step(&operation, &mut state, &mut Facts::default(), r#"{"ip":"81.2.69.142"}"#).unwrap();
        assert_eq!(found.as_deref(), Ok(r#"{"ip":"81.2.69.142","geo_ip":{}}"#));
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
