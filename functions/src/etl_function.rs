//! The ETL function: a pipeline, built at the cold start from the function's config, that is handed one invocation after another.

use crate::{
    env::Env,
    place::{PINNED, Place},
    tags,
};
use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Pipeline},
    ports::{Clock as _, Level, Log as _, Ports},
    problem::Report,
    registry::Registry,
};
use etl_adapters::{
    aws::{Clients, loader},
    calls::AwsCalls,
    clock::SystemClock,
    log::JsonLog,
    objects::S3Objects,
};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::{Value, value::RawValue};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{runtime::Builder, runtime::Handle, task::spawn_blocking};

/// Serves Lambda until it ends the process. The components are those of `registry`.
///
/// Built on one thread for what waits and one for what works, and more where cores are free for what may be done beside: the pipeline is
/// synchronous, and hears from them of the answers of far sides and of what is done.
///
/// # Errors
/// Lambda's Runtime API cannot be reached. A config that cannot be used is no error here: it is logged, and each invocation fails.
pub fn run(registry: Registry) -> Result<(), Error> {
    let env = Env::of_process();
    Builder::new_current_thread().enable_all().build()?.block_on(serve(registry, env))
}

async fn serve(registry: Registry, env: Env) -> Result<(), Error> {
    let world = World::new(registry, env).await;
    let (log, env) = (Arc::clone(&world.log), Arc::clone(&world.env));
    let mut function = Function::new(world.clone());
    let function = spawn_blocking(move || {
        function.start_early();
        function
    });
    let idle = Arc::new(Mutex::new(Some(function.await?)));
    let lock = move |idle: &Mutex<Option<Function>>, back| {
        std::mem::replace(&mut *idle.lock().unwrap_or_else(PoisonError::into_inner), back)
    };
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let context = env.context(&event.context);
        log.begin(&event.context.request_id);
        let idle = Arc::clone(&idle);
        // None is there when the last one was torn down by a defect of ours; a new one has no trace of it.
        let mut function = lock(&idle, None).unwrap_or_else(|| Function::new(world.clone()));
        async move {
            let work = spawn_blocking(move || {
                let answer = function.invoke(event.payload.get().as_bytes(), &context);
                (function, answer)
            });
            let (function, answer) = work.await.map_err(|_| Failed::new("Defect", "the pipeline panicked"))?;
            lock(&idle, Some(function));
            answer
        }
    }))
    .await
}

/// What a function has for its whole life.
#[derive(Clone)]
struct World {
    registry: Registry,
    env: Arc<Env>,
    ports: Ports,
    calls: Arc<AwsCalls>,
    log: Arc<JsonLog>,
}

impl World {
    async fn new(registry: Registry, env: Env) -> Self {
        let runtime = Handle::current();
        let clients = Arc::new(Clients::new(loader().load().await, env.path_style()));
        let calls = Arc::new(AwsCalls::new(runtime.clone(), Arc::clone(&clients)));
        let (clock, log) = (Arc::new(SystemClock::default()), Arc::new(JsonLog::default()));
        let ports = Ports {
            // Functions that are started by one event are not started in one millisecond, so they do not retry in step.
            seed: clock.now_ms().unsigned_abs(),
            clock,
            objects: Arc::new(S3Objects::new(runtime, clients, env.package().into())),
            calls: Arc::clone(&calls) as _,
            log: Arc::clone(&log) as _,
        };
        Self { registry, env: Arc::new(env), ports, calls, log }
    }
}

/// Why an invocation failed, as Lambda shows it.
#[derive(Debug)]
struct Failed {
    kind: &'static str,
    message: String,
}

impl Failed {
    fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: failed.kind.to_owned(), error_message: failed.message }
    }
}

struct Function {
    world: World,
    state: State,
}

enum State {
    /// Nothing is built yet, or what failed may be better now.
    New,
    /// `alias`: for which it was built, if the config depends on it.
    Ready { alias: Option<String>, pipeline: Box<Pipeline> },
    /// It will never be better: the environment of a function does not change.
    Broken(String),
}

/// Why there is no pipeline.
enum NoPipeline {
    /// What is needed is only known with the first event.
    TooEarly,
    /// May pass.
    Now(String),
    /// Will not.
    ForGood(String),
}

impl Function {
    fn new(world: World) -> Self {
        Self { world, state: State::New }
    }

    /// Builds the pipeline before the first event, if it can be.
    fn start_early(&mut self) {
        match self.build(None) {
            Ok((pipeline, alias)) => self.state = State::Ready { alias, pipeline: Box::new(pipeline) },
            Err(NoPipeline::ForGood(why)) => self.state = State::Broken(why),
            // The first event tries again.
            Err(NoPipeline::TooEarly | NoPipeline::Now(_)) => {}
        }
    }

    fn invoke(&mut self, event: &[u8], context: &Context) -> Result<Value, Failed> {
        let pipeline = self.pipeline(context).map_err(|why| Failed::new("Config", why))?;
        let invoked = pipeline.invoke(event, context);
        invoked.answer.map_err(|failure| {
            self.world.log.line(Level::Error, &failure.message, &[]);
            Failed::new("Delivery", failure.message)
        })
    }

    fn pipeline(&mut self, context: &Context) -> Result<&mut Pipeline, String> {
        let other = |built: &Option<String>| built.as_deref().is_some_and(|built| built != context.alias());
        let stale = match &self.state {
            State::New => true,
            State::Ready { alias, .. } => other(alias),
            State::Broken(_) => false,
        };
        if stale {
            self.state = match self.build(Some(context)) {
                Ok((pipeline, alias)) => State::Ready { alias, pipeline: Box::new(pipeline) },
                Err(NoPipeline::ForGood(why)) => State::Broken(why),
                Err(NoPipeline::Now(why)) => return Err(why),
                Err(NoPipeline::TooEarly) => return Err("the invocation has no context".to_owned()),
            };
        }
        match &mut self.state {
            State::Ready { pipeline, .. } => Ok(pipeline),
            State::Broken(why) => Err(why.clone()),
            State::New => Err("there is no pipeline".to_owned()),
        }
    }

    /// Reads the config and builds the pipeline; gives the alias too, if the config was chosen by it. `context`: of the first event.
    fn build(&self, context: Option<&Context>) -> Result<(Pipeline, Option<String>), NoPipeline> {
        let World { registry, env, ports, calls, log } = &self.world;
        let begun = ports.clock.monotonic();
        let say = |why: String| {
            log.line(Level::Error, &why, &[]);
            why
        };
        let place = Place::of(env).map_err(|why| NoPipeline::ForGood(say(why)))?;
        let by_alias = matches!(place, Place::ByAlias);
        let alias = match context {
            Some(context) => context.alias(),
            None if by_alias => return Err(NoPipeline::TooEarly),
            None => "",
        };
        let is_constant = matches!(place, Place::Inline(_));
        let failed = |why: String| if is_constant { NoPipeline::ForGood(why) } else { NoPipeline::Now(why) };
        let (name, text) =
            place.read(&*ports.objects, &**calls, alias, env.set(PINNED)).map_err(|why| failed(say(why)))?;
        let variables = |name: &str| env.get(name).map(str::to_owned);
        let config = PipelineConfig::read(registry, &name, &text, Variables::From(&variables))
            .map_err(|report| failed(self.tell(&report)))?;
        let mut environment =
            Environment { region: env.set("AWS_REGION").unwrap_or_default().to_owned(), ..Default::default() };
        if config.handler.common().include_function_tags {
            let context = context.ok_or(NoPipeline::TooEarly)?;
            let arn = context.invoked_function_arn.as_deref().unwrap_or_default();
            environment.function_tags = tags::read(&**calls, env, arn).unwrap_or_else(|why| {
                log.line(Level::Warn, "metrics go without the function's tags", &[("why", &why)]);
                Vec::new()
            });
        }
        let pipeline =
            Pipeline::new(&config, environment, ports.clone()).map_err(|e| NoPipeline::Now(say(e.to_string())))?;
        self.warm(&config);
        let took = ports.clock.monotonic().saturating_sub(begun).as_millis();
        log.line(Level::Info, "the pipeline is ready", &[("config", &name), ("tookMs", &took)]);
        Ok((pipeline, by_alias.then(|| alias.to_owned())))
    }

    /// Logs every mistake; gives the short text that the invocation fails with.
    fn tell(&self, report: &Report) -> String {
        for (problem, line) in report.problems.iter().zip(report.lines()) {
            let allowed = problem.allowed.join(", ");
            let given = problem.given.as_deref().unwrap_or_default();
            let mut fields: Vec<(&'static str, &dyn std::fmt::Display)> =
                vec![("code", &problem.code.id), ("path", &problem.path)];
            if !given.is_empty() {
                fields.push(("given", &given));
            }
            if !allowed.is_empty() {
                fields.push(("allowed", &allowed));
            }
            self.world.log.line(Level::Error, &line, &fields);
        }
        let first = report.lines().next().unwrap_or_default();
        match report.problems.len() {
            1 => format!("the config has a mistake: {first}"),
            n => format!("the config has {n} mistakes, all in the log; the first: {first}"),
        }
    }

    /// Makes the clients that this config will want.
    fn warm(&self, config: &PipelineConfig) {
        let needs = config.needs();
        let actions = needs.iter().flat_map(|need| need.actions);
        let mut services: Vec<&str> = actions.filter_map(|action| Some(action.split_once(':')?.0)).collect();
        if config.handler.reads_objects() {
            services.push("s3");
        }
        services.sort_unstable();
        services.dedup();
        for service in services {
            self.world.calls.warm(service);
        }
    }
}
