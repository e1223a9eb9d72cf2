//! Positions in text: numbers that say where to start, and how many bytes and characters from there.
//!
//! Invariant: a position starts where the decoder has nothing buffered, so that it can be reached again from its flags alone.

use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Value, Vm};
use lisle_runtime::types::buffer::bytes_of;
use num_bigint::{BigInt, Sign};

use super::codec::{Codec, DecodeState, Decoding, decode_by, decoder_state, set_decoder_state};
use super::{SEEKABLE, Snapshot, State, TELLING, TextIOWrapper};
use crate::io::common::{call0, unsupported};
use crate::io::fileio::offset_of;
use lisle_runtime::native::Str;
use lisle_runtime::types::bytes::Bytes;

/// What a position is made of.
#[derive(Clone, Copy, Default, Debug)]
struct Cookie {
    start: u64,
    flags: i32,
    /// Bytes to feed to the decoder from there.
    feed: u32,
    /// Characters to skip of what that gives.
    skip: u32,
    /// The decoder is to be told that this is the end.
    end: bool,
}

impl Cookie {
    fn pack(self) -> Value {
        let mut bytes = [0u8; 21];
        bytes[..8].copy_from_slice(&self.start.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.flags.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.feed.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.skip.to_le_bytes());
        bytes[20] = self.end.into();
        Value::bigint(BigInt::from_bytes_le(Sign::Plus, &bytes))
    }

    fn unpack(vm: &Vm, number: &BigInt) -> Res<Cookie> {
        let (_, mut bytes) = number.to_bytes_le();
        if bytes.len() > 21 {
            return Err(vm.overflow_error("int too big to convert"));
        }
        bytes.resize(21, 0);
        let word = |at: usize| -> [u8; 4] { [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] };
        let (low, high) = (u32::from_le_bytes(word(0)), u32::from_le_bytes(word(4)));
        Ok(Cookie {
            start: u64::from(high) << 32 | u64::from(low),
            flags: i32::from_le_bytes(word(8)),
            feed: u32::from_le_bytes(word(12)),
            skip: u32::from_le_bytes(word(16)),
            end: bytes[20] != 0,
        })
    }
}

/// A decoder to try positions with.
enum Trial<'a> {
    Native(Decoding<'a>, DecodeState),
    Other(&'a Vm, Value),
}

impl Trial<'_> {
    /// Decodes, and says how many characters that gave.
    fn decode(&mut self, bytes: &[u8], last: bool) -> Res<usize> {
        match self {
            Trial::Native(decoding, state) => Ok(decoding.run(state, bytes.to_vec(), last)?.len()),
            Trial::Other(vm, decoder) => {
                let text = decode_by(vm, decoder, &Bytes::new_value(bytes), last)?;
                Ok(text.downcast::<Str>().map_or(0, |text| text.len()))
            }
        }
    }

    fn state(&self) -> Res<(Vec<u8>, i64)> {
        match self {
            Trial::Native(decoding, state) => Ok((state.input.clone(), state.flags(decoding.newline))),
            Trial::Other(vm, decoder) => decoder_state(vm, decoder),
        }
    }

    fn start_at(&mut self, flags: i64) -> Res<()> {
        match self {
            Trial::Native(decoding, state) => {
                state.set(&[], flags, decoding.newline);
                Ok(())
            }
            Trial::Other(vm, decoder) => set_decoder_state(vm, decoder, &[], flags),
        }
    }

    /// The position `skip` characters after the snapshot, which is at `position`.
    fn find(&mut self, vm: &Vm, position: i64, snapshot: &Snapshot, skip: usize, ratio: f64) -> Res<Cookie> {
        let input = &snapshot.input;
        let mut skip = skip;
        let mut flags = snapshot.flags;
        // A start close to the position, by the mean size of a character.
        let mut bytes = ((ratio * skip as f64) as usize).min(input.len());
        let mut back = 1;
        let mut found = false;
        while bytes > 0 {
            self.start_at(flags)?;
            let chars = self.decode(&input[..bytes], false)?;
            if chars <= skip {
                let (buffered, new_flags) = self.state()?;
                if buffered.is_empty() {
                    flags = new_flags;
                    skip -= chars;
                    found = true;
                    break;
                }
                bytes = bytes.saturating_sub(buffered.len());
                back = 1;
            } else {
                bytes = bytes.saturating_sub(back);
                back *= 2;
            }
        }
        if !found {
            bytes = 0;
            self.start_at(flags)?;
        }
        let mut cookie = Cookie {
            start: (position + bytes as i64).max(0) as u64,
            flags: flags as i32,
            ..Cookie::default()
        };
        if skip == 0 {
            return Ok(cookie);
        }
        // From there byte by byte, noting each place where the decoder has nothing buffered.
        let (mut fed, mut chars) = (0, 0);
        for byte in input[bytes..].chunks(1) {
            fed += 1;
            chars += self.decode(byte, false)?;
            let (buffered, new_flags) = self.state()?;
            if buffered.is_empty() && chars <= skip {
                cookie.start += fed;
                skip -= chars;
                cookie.flags = new_flags as i32;
                (fed, chars) = (0, 0);
            }
            if chars >= skip {
                cookie.feed = fed as u32;
                cookie.skip = skip as u32;
                return Ok(cookie);
            }
        }
        chars += self.decode(&[], true)?;
        cookie.end = true;
        if chars < skip {
            return Err(vm.os_error_message("can't reconstruct logical file position"));
        }
        cookie.feed = fed as u32;
        cookie.skip = skip as u32;
        Ok(cookie)
    }
}

impl TextIOWrapper {
    /// `tell()`
    pub(super) fn position(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        let below = TextIOWrapper::open_below(vm, this)?;
        if !this.has(SEEKABLE) {
            return Err(unsupported(vm, "underlying stream is not seekable"));
        }
        if !this.has(TELLING) {
            return Err(vm.os_error_message("telling position disabled by next() call"));
        }
        TextIOWrapper::write_pending(vm, this, &below)?;
        call0(vm, this.as_value(), intern!("flush"))?;
        let here = call0(vm, below.value(), intern!("tell"))?;
        let (snapshot, used, ratio) =
            TextIOWrapper::with_state(this, |state| (state.snapshot.clone(), state.used, state.ratio));
        let Some(snapshot) = snapshot else {
            return Ok(here);
        };
        let codec = this.codec();
        let decoder = this.decoder.get();
        if codec == Codec::Other && decoder.is_none() {
            return Ok(here);
        }
        let position = offset_of(vm, &here)? - snapshot.input.len() as i64;
        if used == 0 {
            let cookie = Cookie {
                start: position.max(0) as u64,
                flags: snapshot.flags as i32,
                ..Cookie::default()
            };
            return Ok(cookie.pack());
        }
        let cookie = match decoder.filter(|_| codec == Codec::Other) {
            None => {
                let decoding = Decoding {
                    vm,
                    codec,
                    newline: this.newline_kind(),
                    stream: this,
                };
                Trial::Native(decoding, DecodeState::default()).find(vm, position, &snapshot, used, ratio)?
            }
            Some(decoder) => {
                let saved = call0(vm, &decoder, intern!("getstate"))?;
                let found = Trial::Other(vm, decoder.clone()).find(vm, position, &snapshot, used, ratio);
                let restored = vm.call_method(&decoder, intern!("setstate"), &[saved]);
                match (found, restored) {
                    (Ok(cookie), Ok(_)) => cookie,
                    (Err(exc), Err(second)) => return Err(second.with_context(Some(exc.into_value()))),
                    (Err(exc), _) | (_, Err(exc)) => return Err(exc),
                }
            }
        };
        Ok(cookie.pack())
    }

    /// Sets the decoder to its start.
    fn reset_decoder(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<()> {
        TextIOWrapper::with_state(this, |state| state.decode = DecodeState::default());
        match this.decoder.get() {
            Some(decoder) => call0(vm, &decoder, intern!("reset")).map(drop),
            None => Ok(()),
        }
    }

    /// Tells the encoder where the stream is.
    fn reset_encoder(vm: &Vm, this: &Py<TextIOWrapper>, at_start: bool) -> Res<()> {
        match this.encoder.get() {
            Some(encoder) if at_start => call0(vm, &encoder, intern!("reset")).map(drop),
            Some(encoder) => vm
                .call_method(&encoder, intern!("setstate"), &[Value::int(0)])
                .map(drop),
            None => Ok(()),
        }
    }

    /// `seek(cookie, whence)`
    pub(super) fn seek_to(vm: &Vm, this: &Py<TextIOWrapper>, cookie: &Value, whence: i32) -> Res<Value> {
        let below = TextIOWrapper::open_below(vm, this)?;
        if !this.has(SEEKABLE) {
            return Err(unsupported(vm, "underlying stream is not seekable"));
        }
        let zero = |what: &str| -> Res<()> {
            if vm.eq(cookie, &Value::int(0))? {
                return Ok(());
            }
            Err(unsupported(vm, &format!("can't do nonzero {what}-relative seeks")))
        };
        let cookie = match whence {
            0 => cookie.clone(),
            1 => {
                zero("cur")?;
                call0(vm, this.as_value(), intern!("tell"))?
            }
            2 => {
                zero("end")?;
                call0(vm, this.as_value(), intern!("flush"))?;
                TextIOWrapper::with_state(this, State::forget_text);
                TextIOWrapper::reset_decoder(vm, this)?;
                let at = vm.call_method(below.value(), intern!("seek"), &[Value::int(0), Value::int(2)])?;
                let start = vm.eq(&at, &Value::int(0))?;
                TextIOWrapper::reset_encoder(vm, this, start)?;
                return Ok(at);
            }
            _ => {
                return Err(vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)")));
            }
        };
        let number = match vm.int_value(&cookie) {
            Some(number) => number.to_bigint(),
            None => {
                let index = vm.index(&cookie)?;
                vm.int_value(&index).map(|n| n.to_bigint()).unwrap_or_default()
            }
        };
        if number.sign() == Sign::Minus {
            let repr = vm.repr(&cookie)?.to_string_lossy();
            return Err(vm.value_error(format!("negative seek position {repr}")));
        }
        call0(vm, this.as_value(), intern!("flush"))?;
        // Back to the start of the position, and from there as `read` would go.
        let place = Cookie::unpack(vm, &number)?;
        let start = Value::bigint(BigInt::from(place.start));
        vm.call_method(below.value(), intern!("seek"), &[start])?;
        TextIOWrapper::with_state(this, State::forget_text);
        let flags = i64::from(place.flags);
        let native = this.codec() != Codec::Other;
        if place.start == 0 && place.flags == 0 {
            TextIOWrapper::reset_decoder(vm, this)?;
        } else if native {
            let newline = this.newline_kind();
            TextIOWrapper::with_state(this, |state| state.decode.set(&[], flags, newline));
        } else if let Some(decoder) = this.decoder.get() {
            set_decoder_state(vm, &decoder, &[], flags)?;
        }
        if place.skip > 0 {
            let data = vm.call_method(below.value(), intern!("read"), &[Value::int(place.feed.into())])?;
            let Some(bytes) = bytes_of(&data).map(|bytes| bytes.into_owned()) else {
                let found = data.ty().name();
                return Err(vm.type_error(format!(
                    "underlying read() should have returned a bytes object, not '{found}'"
                )));
            };
            let decoder = if native { None } else { this.decoder.get() };
            let text = TextIOWrapper::decode(vm, this, decoder.as_ref(), bytes.clone(), place.end)?;
            let chars = text.len();
            TextIOWrapper::with_state(this, |state| {
                state.snapshot = Some(Snapshot { flags, input: bytes });
                state.text = Some(text);
                state.used = (place.skip as usize).min(chars);
            });
            if chars < place.skip as usize {
                return Err(vm.os_error_message("can't restore logical file position"));
            }
        } else {
            TextIOWrapper::with_state(this, |state| {
                state.snapshot = Some(Snapshot {
                    flags,
                    input: Vec::new(),
                });
            });
        }
        TextIOWrapper::reset_encoder(vm, this, number.sign() == Sign::NoSign)?;
        Ok(cookie)
    }
}
