//! What a pipeline promises, whatever its components are: every event accounted for, delivered in order, nothing taken for safe that
//! is not, nothing of an event in a log.

mod answers;
mod delivery;
mod law;
mod parts;
mod reading;
