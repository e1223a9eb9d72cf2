//! Placeholder, filled by the first slice.
