//! From staged to published: one put-if-absent of the next snapshot file, then its entries into the tables' logs.

mod checkpoint;
#[cfg(test)]
mod compactions;
#[cfg(test)]
mod crashes;
#[cfg(test)]
pub(crate) mod faulty;
pub(crate) mod leftovers;
pub(crate) mod publisher;
#[cfg(test)]
mod races;
mod renumber;
#[cfg(test)]
mod restricted;
mod roll;
#[cfg(test)]
mod tests;

pub(crate) use roll::roll_forward;
