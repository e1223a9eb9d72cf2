//! The `_random` module: the Mersenne Twister (MT19937), which gives the same numbers for the same seed as CPython.
//!
//! Invariant: the 624 words and the position among them change together, under the object's lock.
//! Source of the algorithm: Matsumoto and Nishimura, "Mersenne Twister", 1998, with the initialisation of 2002.

use lisle_runtime::native::pymodule;

const N: usize = 624;
const M: usize = 397;

/// The generator's state.
pub struct Twister {
    words: [u32; N],
    /// Words already given out; `N` when new ones must be made.
    position: usize,
}

impl Twister {
    const fn unseeded() -> Twister {
        Twister {
            words: [0; N],
            position: 0,
        }
    }

    fn seed_word(&mut self, seed: u32) {
        self.words[0] = seed;
        for i in 1..N {
            let previous = self.words[i - 1];
            self.words[i] = (previous ^ previous >> 30)
                .wrapping_mul(1_812_433_253)
                .wrapping_add(i as u32);
        }
        self.position = N;
    }

    fn seed_array(&mut self, key: &[u32]) {
        self.seed_word(19_650_218);
        let (mut i, mut j) = (1, 0);
        let mixed = |words: &[u32; N], i: usize, factor: u32| {
            let previous = words[i - 1];
            words[i] ^ (previous ^ previous >> 30).wrapping_mul(factor)
        };
        for _ in 0..N.max(key.len()) {
            self.words[i] = mixed(&self.words, i, 1_664_525)
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i == N {
                self.words[0] = self.words[N - 1];
                i = 1;
            }
            if j == key.len() {
                j = 0;
            }
        }
        for _ in 1..N {
            self.words[i] = mixed(&self.words, i, 1_566_083_941).wrapping_sub(i as u32);
            i += 1;
            if i == N {
                self.words[0] = self.words[N - 1];
                i = 1;
            }
        }
        self.words[0] = 0x8000_0000;
    }

    fn refill(&mut self) {
        for i in 0..N {
            let y = (self.words[i] & 0x8000_0000) | (self.words[(i + 1) % N] & 0x7fff_ffff);
            let twist = if y & 1 == 0 { 0 } else { 0x9908_b0df };
            self.words[i] = self.words[(i + M) % N] ^ (y >> 1) ^ twist;
        }
        self.position = 0;
    }

    fn next_word(&mut self) -> u32 {
        if self.position >= N {
            self.refill();
        }
        let mut y = self.words[self.position];
        self.position += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ y >> 18
    }

    /// A float of 53 random bits in `[0, 1)`.
    fn next_float(&mut self) -> f64 {
        let high = f64::from(self.next_word() >> 5);
        let low = f64::from(self.next_word() >> 6);
        (high * 67_108_864.0 + low) * (1.0 / 9_007_199_254_740_992.0)
    }
}

/// Random words from the system; from clock and process id where it has none.
fn entropy() -> [u32; N] {
    let mut bytes = [0u8; N * 4];
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = &mut bytes[filled..];
        // SAFETY: the pointer and length are those of `rest`.
        let n = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), libc::GRND_NONBLOCK) };
        if n > 0 {
            filled += n as usize;
        } else if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            break;
        }
    }
    let mut words = [0; N];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*chunk);
    }
    if filled < bytes.len() {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        words[0] ^= now.as_nanos() as u32;
        words[1] ^= (now.as_nanos() >> 32) as u32;
        words[2] ^= std::process::id();
    }
    words
}

#[pymodule(
    name = "_random",
    doc = "Module implements the Mersenne Twister random number generator.",
    types(Random)
)]
pub mod module {
    use super::{N, Twister, entropy};
    use lisle_runtime::native::*;
    use lisle_runtime::sync::Locked;
    use lisle_runtime::types::tuple::Tuple;
    use num_bigint::BigInt;

    #[pyclass(
        name = "Random",
        late_end,
        module = "_random",
        doc = "Random() -> create a random number generator with its own internal state.",
        basetype,
        gc = false
    )]
    pub struct Random {
        state: Locked<Twister>,
    }

    impl Random {
        fn with<R>(this: &Py<Random>, f: impl FnOnce(&mut Twister) -> R) -> R {
            this.state.with(this.header(), f)
        }
    }

    #[pymethods]
    impl Random {
        #[slot]
        fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
            Ok(Py::with_class(
                cls,
                Random {
                    state: Locked::new(Twister::unseeded()),
                },
            )
            .into_value())
        }

        #[slot]
        fn __init__(vm: &Vm, this: &Py<Random>, args: Args<'_>) -> Res<()> {
            if this.class().is(Random::ty()) {
                args.no_keywords(vm, "Random")?;
            }
            match args.positional() {
                [] => Random::seed(vm, this, None),
                [seed] => Random::seed(vm, this, Some(seed)),
                _ => Err(vm.type_error("Random() requires 0 or 1 argument")),
            }
        }

        /// random() -> x in the interval [0, 1).
        #[pymethod(sig = "($self, /)")]
        fn random(_vm: &Vm, this: &Py<Random>) -> f64 {
            Random::with(this, Twister::next_float)
        }

        /// seed([n]) -> None.
        ///
        /// Defaults to use urandom and falls back to a combination
        /// of the current time and the process identifier.
        #[pymethod(sig = "($self, n=None, /)")]
        fn seed(vm: &Vm, this: &Py<Random>, n: Option<&Value>) -> Res<()> {
            let Some(n) = n else {
                let key = entropy();
                Random::with(this, |state| state.seed_array(&key));
                return Ok(());
            };
            let mut key: Vec<u32> = match int_view(n) {
                Some(IntRef::Small(i)) => split(i.unsigned_abs()),
                Some(IntRef::Big(n)) => n.magnitude().to_u32_digits(),
                None => split(vm.hash(n)? as u64),
            };
            if key.is_empty() {
                key.push(0);
            }
            Random::with(this, |state| state.seed_array(&key));
            Ok(())
        }

        /// getstate() -> tuple containing the current state.
        #[pymethod(sig = "($self, /)")]
        fn getstate(_vm: &Vm, this: &Py<Random>) -> Value {
            let state = Random::with(this, |state| {
                let position = [state.position as i64];
                state
                    .words
                    .iter()
                    .map(|&word| i64::from(word))
                    .chain(position)
                    .map(Value::int)
                    .collect()
            });
            Tuple::new(state).into_value()
        }

        /// setstate(state) -> None.  Restores generator state.
        #[pymethod(sig = "($self, state, /)")]
        fn setstate(vm: &Vm, this: &Py<Random>, state: &Value) -> Res<()> {
            let Some(state) = state.downcast::<Tuple>() else {
                return Err(vm.type_error("state vector must be a tuple"));
            };
            if state.len() != N + 1 {
                return Err(vm.value_error("state vector is the wrong size"));
            }
            let mut words = [0; N];
            let (numbers, position) = state.as_slice().split_at(N);
            for (word, value) in words.iter_mut().zip(numbers) {
                let Some(number) = int_view(value) else {
                    return Err(vm.type_error("an integer is required"));
                };
                if number.is_negative() {
                    return Err(vm.overflow_error("can't convert negative value to unsigned int"));
                }
                let Some(number) = number.to_u64() else {
                    return Err(vm.overflow_error("Python int too large to convert to C unsigned long"));
                };
                *word = number as u32;
            }
            let Some(position) = position.first().and_then(int_view) else {
                return Err(vm.type_error("an integer is required"));
            };
            let Some(position) = position.to_u64().filter(|p| *p <= N as u64) else {
                return Err(vm.value_error("invalid state"));
            };
            Random::with(this, |state| {
                state.words = words;
                state.position = position as usize;
            });
            Ok(())
        }

        /// getrandbits(k) -> x.  Generates an int with k random bits.
        #[pymethod(sig = "($self, k, /)")]
        fn getrandbits(vm: &Vm, this: &Py<Random>, k: &Value) -> Res<Value> {
            let k = vm.index(k)?;
            let bits = int_view(&k).unwrap_or(IntRef::Small(0));
            if bits.is_negative() {
                return Err(vm.value_error("number of bits must be non-negative"));
            }
            let Some(bits) = bits.to_i64() else {
                return Err(vm.overflow_error("Python int too large to convert to C int"));
            };
            let bits = bits as u64;
            if bits == 0 {
                return Ok(Value::int(0));
            }
            if bits <= 32 {
                let word = Random::with(this, Twister::next_word);
                return Ok(Value::int(i64::from(word >> (32 - bits))));
            }
            check_int_bits(vm, bits)?;
            let count = bits.div_ceil(32) as usize;
            let mut words = Vec::new();
            words.try_reserve_exact(count).map_err(|_| vm.memory_error())?;
            Random::with(this, |state| words.extend((0..count).map(|_| state.next_word())));
            if let Some(last) = words.last_mut()
                && !bits.is_multiple_of(32)
            {
                *last >>= 32 - bits % 32;
            }
            Ok(Value::bigint(BigInt::new(num_bigint::Sign::Plus, words)))
        }
    }

    fn split(n: u64) -> Vec<u32> {
        if n >> 32 == 0 {
            vec![n as u32]
        } else {
            vec![n as u32, (n >> 32) as u32]
        }
    }
}
