//! The ETL function, with our own components: see [`functions::etl_function`].
//!
//! With components of your own: a binary like this one, with a registry that they were added to.

use etl::registry::Registry;
use functions::etl_function;

fn main() -> Result<(), lambda_runtime::Error> {
    etl_function::run(Registry::default())
}
