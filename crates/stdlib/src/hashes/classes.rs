//! MD5, SHA-1, SHA-2 and SHA-3.
//!
//! Invariant: one class an algorithm, all alike.

use ::md5::Md5;
use ::sha1::Sha1;
use ::sha2::{Sha224, Sha256, Sha384, Sha512};
use ::sha3::digest::{Digest, ExtendableOutput, Update};
use ::sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512, Shake128, Shake256};
use lisle_runtime::memory::room;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::bytes::Bytes;

use super::{Hasher, data_argument, feed, hashable, hex};
use crate::exclusive::Exclusive;

/// A hash of fixed length.
#[derive(Clone)]
pub struct Fixed<D>(pub D);

impl<D: Digest + Clone + Send + 'static> Hasher for Fixed<D> {
    fn feed(&mut self, bytes: &[u8]) {
        Digest::update(&mut self.0, bytes);
    }

    fn result(&self) -> Vec<u8> {
        self.0.clone().finalize().to_vec()
    }
}

/// A hash whose length is asked for.
#[derive(Clone)]
pub struct Extendable<D>(pub D);

impl<D: ExtendableOutput + Update + Clone + Send + 'static> Hasher for Extendable<D> {
    fn feed(&mut self, bytes: &[u8]) {
        Update::update(&mut self.0, bytes);
    }

    fn result(&self) -> Vec<u8> {
        Vec::new()
    }

    fn read(&self, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        self.0.clone().finalize_xof_into(&mut out);
        out
    }
}

macro_rules! hash_class {
    (
        $class:ident, $name:literal, $module:literal, $algorithm:literal, $digest:ty, $size:literal, $block:literal
    ) => {
        #[pyclass(name = $name, module = $module, gc = false, no_new)]
        pub struct $class {
            state: Opaque<Exclusive<Fixed<$digest>>>,
        }

        impl $class {
            fn make(vm: &Vm, data: Option<&Value>, string: Option<&Value>) -> Res<Value> {
                let mut hasher = Fixed(<$digest>::new());
                if let Some(data) = data_argument(vm, data, string)? {
                    feed(vm, &mut hasher, &hashable(vm, data)?);
                }
                Ok(Py::new($class {
                    state: Opaque(Exclusive::new(hasher)),
                })
                .into_value())
            }
        }

        #[pymethods]
        impl $class {
            /// Return a copy of the hash object.
            #[pymethod(sig = "($self, /)")]
            fn copy(vm: &Vm, this: &Py<$class>) -> Value {
                let hasher = this.state.0.with(vm, this.header(), |hasher| hasher.clone());
                Py::with_class(
                    this.class(),
                    $class {
                        state: Opaque(Exclusive::new(hasher)),
                    },
                )
                .into_value()
            }

            /// Return the digest value as a bytes object.
            #[pymethod(sig = "($self, /)")]
            fn digest(vm: &Vm, this: &Py<$class>) -> Value {
                Bytes::new_value(this.state.0.with(vm, this.header(), |hasher| hasher.result()))
            }

            /// Return the digest value as a string of hexadecimal digits.
            #[pymethod(sig = "($self, /)")]
            fn hexdigest(vm: &Vm, this: &Py<$class>) -> String {
                hex(&this.state.0.with(vm, this.header(), |hasher| hasher.result()))
            }

            /// Update this hash object's state with the provided bytes-like object.
            #[pymethod(sig = "($self, data, /)")]
            fn update(vm: &Vm, this: &Py<$class>, data: &Value) -> Res<()> {
                let bytes = hashable(vm, data)?;
                this.state
                    .0
                    .with(vm, this.header(), |hasher| feed(vm, hasher, &bytes));
                Ok(())
            }

            #[getter]
            fn block_size(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $block
            }

            #[getter]
            fn name(_vm: &Vm, _this: &Py<$class>) -> &'static str {
                $algorithm
            }

            #[getter]
            fn digest_size(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $size
            }
        }
    };
}

macro_rules! sha3_class {
    ($class:ident, $name:literal, $digest:ty, $size:literal, $rate:literal, $suffix:literal, $doc:literal) => {
        #[pyclass(name = $name, module = "_sha3", gc = false, doc = $doc)]
        pub struct $class {
            state: Opaque<Exclusive<Fixed<$digest>>>,
        }

        #[pymethods]
        impl $class {
            #[slot(sig = "(data=b'', *, usedforsecurity=True, string=None)")]
            fn __new__(
                vm: &Vm,
                cls: &Py<Type>,
                data: Option<&Value>,
                usedforsecurity: Option<bool>,
                string: Option<&Value>,
            ) -> Res<Value> {
                let _ = usedforsecurity;
                let mut hasher = Fixed(<$digest>::default());
                if let Some(data) = data_argument(vm, data, string)? {
                    feed(vm, &mut hasher, &hashable(vm, data)?);
                }
                Ok(Py::with_class(
                    cls,
                    $class {
                        state: Opaque(Exclusive::new(hasher)),
                    },
                )
                .into_value())
            }

            /// Return a copy of the hash object.
            #[pymethod(sig = "($self, /)")]
            fn copy(vm: &Vm, this: &Py<$class>) -> Value {
                let hasher = this.state.0.with(vm, this.header(), |hasher| hasher.clone());
                Py::with_class(
                    this.class(),
                    $class {
                        state: Opaque(Exclusive::new(hasher)),
                    },
                )
                .into_value()
            }

            /// Update this hash object's state with the provided bytes-like object.
            #[pymethod(sig = "($self, data, /)")]
            fn update(vm: &Vm, this: &Py<$class>, data: &Value) -> Res<()> {
                let bytes = hashable(vm, data)?;
                this.state
                    .0
                    .with(vm, this.header(), |hasher| feed(vm, hasher, &bytes));
                Ok(())
            }

            /// Return the digest value as a bytes object.
            #[pymethod(sig = "($self, /)")]
            fn digest(vm: &Vm, this: &Py<$class>) -> Value {
                Bytes::new_value(this.state.0.with(vm, this.header(), |hasher| hasher.result()))
            }

            /// Return the digest value as a string of hexadecimal digits.
            #[pymethod(sig = "($self, /)")]
            fn hexdigest(vm: &Vm, this: &Py<$class>) -> String {
                hex(&this.state.0.with(vm, this.header(), |hasher| hasher.result()))
            }

            #[getter]
            fn block_size(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $rate / 8
            }

            #[getter]
            fn name(_vm: &Vm, _this: &Py<$class>) -> &'static str {
                $name
            }

            #[getter]
            fn digest_size(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $size
            }

            #[getter]
            fn _capacity_bits(_vm: &Vm, _this: &Py<$class>) -> i64 {
                1600 - $rate
            }

            #[getter]
            fn _rate_bits(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $rate
            }

            #[getter]
            fn _suffix(_vm: &Vm, _this: &Py<$class>) -> Value {
                Bytes::new_value([$suffix])
            }
        }
    };
}

macro_rules! shake_class {
    ($class:ident, $name:literal, $digest:ty, $size:literal, $rate:literal, $suffix:literal, $doc:literal) => {
        #[pyclass(name = $name, module = "_sha3", gc = false, doc = $doc)]
        pub struct $class {
            state: Opaque<Exclusive<Extendable<$digest>>>,
        }

        #[pymethods]
        impl $class {
            #[slot(sig = "(data=b'', *, usedforsecurity=True, string=None)")]
            fn __new__(
                vm: &Vm,
                cls: &Py<Type>,
                data: Option<&Value>,
                usedforsecurity: Option<bool>,
                string: Option<&Value>,
            ) -> Res<Value> {
                let _ = usedforsecurity;
                let mut hasher = Extendable(<$digest>::default());
                if let Some(data) = data_argument(vm, data, string)? {
                    feed(vm, &mut hasher, &hashable(vm, data)?);
                }
                Ok(Py::with_class(
                    cls,
                    $class {
                        state: Opaque(Exclusive::new(hasher)),
                    },
                )
                .into_value())
            }

            /// Return a copy of the hash object.
            #[pymethod(sig = "($self, /)")]
            fn copy(vm: &Vm, this: &Py<$class>) -> Value {
                let hasher = this.state.0.with(vm, this.header(), |hasher| hasher.clone());
                Py::with_class(
                    this.class(),
                    $class {
                        state: Opaque(Exclusive::new(hasher)),
                    },
                )
                .into_value()
            }

            /// Update this hash object's state with the provided bytes-like object.
            #[pymethod(sig = "($self, data, /)")]
            fn update(vm: &Vm, this: &Py<$class>, data: &Value) -> Res<()> {
                let bytes = hashable(vm, data)?;
                this.state
                    .0
                    .with(vm, this.header(), |hasher| feed(vm, hasher, &bytes));
                Ok(())
            }

            /// Return the digest value as a bytes object.
            #[pymethod(sig = "($self, length, /)")]
            fn digest(vm: &Vm, this: &Py<$class>, length: &Value) -> Res<Value> {
                let length = digest_length(vm, length)?;
                let digest = this.state.0.with(vm, this.header(), |hasher| hasher.read(length));
                Ok(Bytes::new_value(digest))
            }

            /// Return the digest value as a string of hexadecimal digits.
            #[pymethod(sig = "($self, length, /)")]
            fn hexdigest(vm: &Vm, this: &Py<$class>, length: &Value) -> Res<String> {
                let length = digest_length(vm, length)?;
                Ok(hex(&this
                    .state
                    .0
                    .with(vm, this.header(), |hasher| hasher.read(length))))
            }

            #[getter]
            fn block_size(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $rate / 8
            }

            #[getter]
            fn name(_vm: &Vm, _this: &Py<$class>) -> &'static str {
                $name
            }

            #[getter]
            fn digest_size(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $size
            }

            #[getter]
            fn _capacity_bits(_vm: &Vm, _this: &Py<$class>) -> i64 {
                1600 - $rate
            }

            #[getter]
            fn _rate_bits(_vm: &Vm, _this: &Py<$class>) -> i64 {
                $rate
            }

            #[getter]
            fn _suffix(_vm: &Vm, _this: &Py<$class>) -> Value {
                Bytes::new_value([$suffix])
            }
        }
    };
}

/// How many bytes are asked for.
pub fn digest_length(vm: &Vm, length: &Value) -> Res<usize> {
    if int_view(length).is_none() && length.ty().slots().index.is_none() {
        return Err(vm.type_error("an integer is required"));
    }
    let length = vm.index_clamped(length)?;
    match usize::try_from(length) {
        Err(_) => Err(vm.value_error("value must be positive")),
        Ok(length) if length >= 1 << 29 => Err(vm.value_error("length is too large")),
        Ok(length) => {
            // For the digest, which is made while nothing can be raised.
            drop(room::zeroed(length)?);
            Ok(length)
        }
    }
}

hash_class!(Md5Type, "md5", "_md5", "md5", Md5, 16, 64);
hash_class!(Sha1Type, "sha1", "_sha1", "sha1", Sha1, 20, 64);
hash_class!(Sha224Type, "SHA224Type", "_sha2", "sha224", Sha224, 28, 64);
hash_class!(Sha256Type, "SHA256Type", "_sha2", "sha256", Sha256, 32, 64);
hash_class!(Sha384Type, "SHA384Type", "_sha2", "sha384", Sha384, 48, 128);
hash_class!(Sha512Type, "SHA512Type", "_sha2", "sha512", Sha512, 64, 128);
sha3_class!(
    Sha3Of224,
    "sha3_224",
    Sha3_224,
    28,
    1152,
    0x06,
    "sha3_224([data], *, usedforsecurity=True) -> SHA3 object\n\nReturn a new SHA3 hash object with a hashbit length of 28 bytes."
);
sha3_class!(
    Sha3Of256,
    "sha3_256",
    Sha3_256,
    32,
    1088,
    0x06,
    "sha3_256([data], *, usedforsecurity=True) -> SHA3 object\n\nReturn a new SHA3 hash object with a hashbit length of 32 bytes."
);
sha3_class!(
    Sha3Of384,
    "sha3_384",
    Sha3_384,
    48,
    832,
    0x06,
    "sha3_384([data], *, usedforsecurity=True) -> SHA3 object\n\nReturn a new SHA3 hash object with a hashbit length of 48 bytes."
);
sha3_class!(
    Sha3Of512,
    "sha3_512",
    Sha3_512,
    64,
    576,
    0x06,
    "sha3_512([data], *, usedforsecurity=True) -> SHA3 object\n\nReturn a new SHA3 hash object with a hashbit length of 64 bytes."
);
shake_class!(
    ShakeOf128,
    "shake_128",
    Shake128,
    0,
    1344,
    0x1f,
    "shake_128([data], *, usedforsecurity=True) -> SHAKE object\n\nReturn a new SHAKE hash object."
);
shake_class!(
    ShakeOf256,
    "shake_256",
    Shake256,
    0,
    1088,
    0x1f,
    "shake_256([data], *, usedforsecurity=True) -> SHAKE object\n\nReturn a new SHAKE hash object."
);

/// The module `_md5`.
pub mod md5 {
    use lisle_runtime::native::pymodule;

    #[pymodule(name = "_md5")]
    pub mod module {
        use super::super::Md5Type;
        use lisle_runtime::native::*;

        #[pyattr(name = "MD5Type")]
        fn md5_class(_vm: &Vm) -> Value {
            Md5Type::ty().to_value()
        }

        /// Return a new MD5 hash object; optionally initialized with a string.
        #[pyfunction(sig = "(data=b'', *, usedforsecurity=True, string=None)")]
        fn md5(vm: &Vm, data: Option<&Value>, usedforsecurity: Option<bool>, string: Option<&Value>) -> Res<Value> {
            let _ = usedforsecurity;
            Md5Type::make(vm, data, string)
        }
    }
}

/// The module `_sha1`.
pub mod sha1 {
    use lisle_runtime::native::pymodule;

    #[pymodule(name = "_sha1")]
    pub mod module {
        use super::super::Sha1Type;
        use lisle_runtime::native::*;

        #[pyattr(name = "SHA1Type")]
        fn sha1_class(_vm: &Vm) -> Value {
            Sha1Type::ty().to_value()
        }

        /// Return a new SHA1 hash object; optionally initialized with a string.
        #[pyfunction(sig = "(data=b'', *, usedforsecurity=True, string=None)")]
        fn sha1(vm: &Vm, data: Option<&Value>, usedforsecurity: Option<bool>, string: Option<&Value>) -> Res<Value> {
            let _ = usedforsecurity;
            Sha1Type::make(vm, data, string)
        }
    }
}

/// The module `_sha2`.
pub mod sha2 {
    use lisle_runtime::native::pymodule;

    #[pymodule(name = "_sha2")]
    pub mod module {
        use super::super::{Sha224Type, Sha256Type, Sha384Type, Sha512Type};
        use lisle_runtime::native::*;

        #[pyattr(name = "SHA224Type")]
        fn sha224_class(_vm: &Vm) -> Value {
            Sha224Type::ty().to_value()
        }

        /// Return a new SHA-224 hash object; optionally initialized with a string.
        #[pyfunction(sig = "(data=b'', *, usedforsecurity=True, string=None)")]
        fn sha224(vm: &Vm, data: Option<&Value>, usedforsecurity: Option<bool>, string: Option<&Value>) -> Res<Value> {
            let _ = usedforsecurity;
            Sha224Type::make(vm, data, string)
        }

        #[pyattr(name = "SHA256Type")]
        fn sha256_class(_vm: &Vm) -> Value {
            Sha256Type::ty().to_value()
        }

        /// Return a new SHA-256 hash object; optionally initialized with a string.
        #[pyfunction(sig = "(data=b'', *, usedforsecurity=True, string=None)")]
        fn sha256(vm: &Vm, data: Option<&Value>, usedforsecurity: Option<bool>, string: Option<&Value>) -> Res<Value> {
            let _ = usedforsecurity;
            Sha256Type::make(vm, data, string)
        }

        #[pyattr(name = "SHA384Type")]
        fn sha384_class(_vm: &Vm) -> Value {
            Sha384Type::ty().to_value()
        }

        /// Return a new SHA-384 hash object; optionally initialized with a string.
        #[pyfunction(sig = "(data=b'', *, usedforsecurity=True, string=None)")]
        fn sha384(vm: &Vm, data: Option<&Value>, usedforsecurity: Option<bool>, string: Option<&Value>) -> Res<Value> {
            let _ = usedforsecurity;
            Sha384Type::make(vm, data, string)
        }

        #[pyattr(name = "SHA512Type")]
        fn sha512_class(_vm: &Vm) -> Value {
            Sha512Type::ty().to_value()
        }

        /// Return a new SHA-512 hash object; optionally initialized with a string.
        #[pyfunction(sig = "(data=b'', *, usedforsecurity=True, string=None)")]
        fn sha512(vm: &Vm, data: Option<&Value>, usedforsecurity: Option<bool>, string: Option<&Value>) -> Res<Value> {
            let _ = usedforsecurity;
            Sha512Type::make(vm, data, string)
        }
    }
}

/// The module `_sha3`.
pub mod sha3 {
    use lisle_runtime::native::pymodule;

    #[pymodule(
        name = "_sha3",
        types(Sha3Of224, Sha3Of256, Sha3Of384, Sha3Of512, ShakeOf128, ShakeOf256)
    )]
    pub mod module {
        use super::super::{Sha3Of224, Sha3Of256, Sha3Of384, Sha3Of512, ShakeOf128, ShakeOf256};
        use lisle_runtime::native::*;

        #[pyattr(name = "implementation")]
        fn implementation(_vm: &Vm) -> &'static str {
            "RustCrypto"
        }
    }
}
