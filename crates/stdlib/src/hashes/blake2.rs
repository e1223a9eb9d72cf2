//! BLAKE2b and BLAKE2s with all their parameters (RFC 7693).
//!
//! Invariant: parameters are checked before the algorithm's crate sees them, which would panic.

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::buffer::Readable;
use lisle_runtime::types::bytes::Bytes;

use super::{Hasher, feed, hashable, hex};
use crate::exclusive::Exclusive;

impl Hasher for blake2b_simd::State {
    fn feed(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn result(&self) -> Vec<u8> {
        self.finalize().as_bytes().to_vec()
    }
}

impl Hasher for blake2s_simd::State {
    fn feed(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn result(&self) -> Vec<u8> {
        self.finalize().as_bytes().to_vec()
    }
}

fn in_range(vm: &Vm, name: &str, value: i64, low: i64, high: i64) -> Res<u8> {
    match u8::try_from(value) {
        Ok(byte) if (low..=high).contains(&value) => Ok(byte),
        _ => Err(vm.value_error(format!("{name} must be between {low} and {high}"))),
    }
}

macro_rules! blake2_class {
    (
        $class:ident, $name:literal, $krate:ident, $max:literal, $salt:literal, $block:literal, $max_offset:expr, $doc:literal, $sig:literal
    ) => {
        #[pyclass(name = $name, module = "_blake2", gc = false, basetype, doc = $doc)]
        pub struct $class {
            state: Opaque<Exclusive<$krate::State>>,
            size: usize,
        }

        #[pymethods]
        impl $class {
            #[slot(sig = $sig)]
            fn __new__(
                vm: &Vm,
                cls: &Py<Type>,
                data: Option<&Value>,
                digest_size: Option<i64>,
                key: Option<Readable<'_>>,
                salt: Option<Readable<'_>>,
                person: Option<Readable<'_>>,
                fanout: Option<i64>,
                depth: Option<i64>,
                leaf_size: Option<u64>,
                node_offset: Option<u64>,
                node_depth: Option<i64>,
                inner_size: Option<i64>,
                last_node: Option<bool>,
                usedforsecurity: Option<bool>,
            ) -> Res<Value> {
                let _ = usedforsecurity;
                let size = digest_size.unwrap_or($max);
                if !(1..=$max).contains(&size) {
                    return Err(vm.value_error(concat!("digest_size must be between 1 and ", $max, " bytes")));
                }
                let mut params = $krate::Params::new();
                params.hash_length(size as usize);
                if let Some(salt) = &salt {
                    if salt.0.len() > $salt {
                        return Err(vm.value_error(concat!("maximum salt length is ", $salt, " bytes")));
                    }
                    params.salt(&salt.0);
                }
                if let Some(person) = &person {
                    if person.0.len() > $salt {
                        return Err(vm.value_error(concat!("maximum person length is ", $salt, " bytes")));
                    }
                    params.personal(&person.0);
                }
                params.fanout(in_range(vm, "fanout", fanout.unwrap_or(1), 0, 255)?);
                params.max_depth(in_range(vm, "depth", depth.unwrap_or(1), 1, 255)?);
                let leaf_size = u32::try_from(leaf_size.unwrap_or(0));
                params.max_leaf_length(leaf_size.map_err(|_| vm.overflow_error("leaf_size is too large"))?);
                let node_offset = node_offset.unwrap_or(0);
                if node_offset > $max_offset {
                    return Err(vm.overflow_error("node_offset is too large"));
                }
                params.node_offset(node_offset);
                params.node_depth(in_range(vm, "node_depth", node_depth.unwrap_or(0), 0, 255)?);
                let inner_size = inner_size.unwrap_or(0);
                if !(0..=$max).contains(&inner_size) {
                    return Err(vm.value_error(concat!("inner_size must be between 0 and is ", $max)));
                }
                params.inner_hash_length(inner_size as usize);
                if let Some(key) = &key {
                    if key.0.len() > $max {
                        return Err(vm.value_error(concat!("maximum key length is ", $max, " bytes")));
                    }
                    params.key(&key.0);
                }
                params.last_node(last_node.unwrap_or(false));
                let mut state = params.to_state();
                if let Some(data) = data {
                    feed(vm, &mut state, &hashable(vm, data)?);
                }
                let this = $class {
                    state: Opaque(Exclusive::new(state)),
                    size: size as usize,
                };
                Ok(Py::with_class(cls, this).into_value())
            }

            /// Return a copy of the hash object.
            #[pymethod(sig = "($self, /)")]
            fn copy(vm: &Vm, this: &Py<$class>) -> Value {
                let state = this.state.0.with(vm, this.header(), |state| state.clone());
                let copy = $class {
                    state: Opaque(Exclusive::new(state)),
                    size: this.size,
                };
                Py::with_class(this.class(), copy).into_value()
            }

            /// Return the digest value as a bytes object.
            #[pymethod(sig = "($self, /)")]
            fn digest(vm: &Vm, this: &Py<$class>) -> Value {
                Bytes::new_value(this.state.0.with(vm, this.header(), |state| state.result()))
            }

            /// Return the digest value as a string of hexadecimal digits.
            #[pymethod(sig = "($self, /)")]
            fn hexdigest(vm: &Vm, this: &Py<$class>) -> String {
                hex(&this.state.0.with(vm, this.header(), |state| state.result()))
            }

            /// Update this hash object's state with the provided bytes-like object.
            #[pymethod(sig = "($self, data, /)")]
            fn update(vm: &Vm, this: &Py<$class>, data: &Value) -> Res<()> {
                let bytes = hashable(vm, data)?;
                this.state
                    .0
                    .with(vm, this.header(), |state| feed(vm, state, &bytes));
                Ok(())
            }

            #[getter]
            fn name(_vm: &Vm, _this: &Py<$class>) -> &'static str {
                $name
            }

            #[getter]
            fn block_size(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $block
            }

            #[getter]
            fn digest_size(_vm: &Vm, this: &Py<$class>) -> usize {
                this.size
            }

            #[classattr(name = "SALT_SIZE")]
            fn salt_size(_vm: &Vm) -> i64 {
                $salt
            }

            #[classattr(name = "PERSON_SIZE")]
            fn person_size(_vm: &Vm) -> i64 {
                $salt
            }

            #[classattr(name = "MAX_KEY_SIZE")]
            fn max_key_size(_vm: &Vm) -> i64 {
                $max
            }

            #[classattr(name = "MAX_DIGEST_SIZE")]
            fn max_digest_size(_vm: &Vm) -> i64 {
                $max
            }
        }
    };
}

blake2_class!(
    Blake2b,
    "blake2b",
    blake2b_simd,
    64,
    16,
    128,
    u64::MAX,
    "Return a new BLAKE2b hash object.",
    "(data=b'', /, *, digest_size=64, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)"
);
blake2_class!(
    Blake2s,
    "blake2s",
    blake2s_simd,
    32,
    8,
    64,
    (1 << 48) - 1,
    "Return a new BLAKE2s hash object.",
    "(data=b'', /, *, digest_size=32, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)"
);

#[pymodule(
    name = "_blake2",
    doc = "_blake2b provides BLAKE2b for hashlib\n",
    types(Blake2b, Blake2s)
)]
pub mod module {
    use super::{Blake2b, Blake2s};

    #[pyattr]
    const BLAKE2B_MAX_DIGEST_SIZE: i64 = 64;
    #[pyattr]
    const BLAKE2B_MAX_KEY_SIZE: i64 = 64;
    #[pyattr]
    const BLAKE2B_PERSON_SIZE: i64 = 16;
    #[pyattr]
    const BLAKE2B_SALT_SIZE: i64 = 16;
    #[pyattr]
    const BLAKE2S_MAX_DIGEST_SIZE: i64 = 32;
    #[pyattr]
    const BLAKE2S_MAX_KEY_SIZE: i64 = 32;
    #[pyattr]
    const BLAKE2S_PERSON_SIZE: i64 = 8;
    #[pyattr]
    const BLAKE2S_SALT_SIZE: i64 = 8;
}
