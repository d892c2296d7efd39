//! What a pipeline promises, whatever its components are: every event accounted for, delivered in order, nothing taken for safe that
//! is not, nothing of an event in a log.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod assets;
#[cfg(test)]
mod beside;
#[cfg(test)]
mod branches;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod events;
#[cfg(test)]
mod items;
#[cfg(test)]
mod law;
#[cfg(test)]
mod mended;
#[cfg(test)]
mod packed;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod several;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod transform;
