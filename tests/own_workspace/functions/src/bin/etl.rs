//! The ETL function, with our components beside Flexo's.

fn main() -> Result<(), lambda_runtime::Error> {
    flexo_functions::etl_function::run(components::registry())
}
