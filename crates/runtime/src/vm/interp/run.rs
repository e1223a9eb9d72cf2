//! The driver of the instruction loop, the tables of handlers, and the handlers that are no instruction's.
//!
//! Invariant: the driver alone knows which frame the loop was entered for; chains of handlers leave that one by an [`Exit`].
//! There are tables for threads with and without the GIL, and more whose handlers do something before each instruction: the GIL may be
//! switched, or somebody observes the thread (`HOOK`). A thread changes from one to the other between two instructions.

use lisle_bytecode::Op;
use lisle_macros::handler;

use super::state::{Apart, Exit, Handler, State, Table, check};
use super::{Flow, access, build, drop_last, drop_plainly, flow, invoke, is_object, moves, operate};
use crate::object::Value;
use crate::sync::mode::{free_threaded, switch_any};
use crate::sync::parallel;
use crate::vm::frames::{FrameData, FrameKind};
use crate::vm::{Exc, Res, Vm};

/// The handler of an operation. Where threads run in `PARALLEL`, some begin with what takes no thread's absence for granted.
const fn handler_of<const FREE: bool, const HOOK: bool, const PARALLEL: bool>(op: Op) -> Handler {
    match op {
        Op::LoadDeref if PARALLEL => moves::load_deref_counted,
        Op::StoreAttr if PARALLEL => access::store_attr_of_own,

        Op::Nop => moves::nop,
        Op::Resume => moves::resume,
        Op::Move => moves::move_,
        Op::Copy => moves::copy,
        Op::LoadConst => moves::load_const,
        Op::LoadInt => moves::load_int,
        Op::Clear => moves::clear,
        Op::CheckLocal => moves::check_local,
        Op::LoadGlobal => moves::load_global::<FREE>,
        Op::StoreGlobal => moves::store_global,
        Op::LoadDeref => moves::load_deref::<FREE>,
        Op::StoreDeref => moves::store_deref,
        Op::BuildTuple => moves::build_tuple,
        Op::BuildList => moves::build_list,
        Op::ListAppend => moves::list_append::<FREE>,
        Op::SetAdd => moves::set_add,
        Op::UnpackSequence => moves::unpack_sequence::<FREE>,

        Op::LoadAttr => access::load_attr::<FREE>,
        Op::LoadMethod => access::load_method::<FREE>,
        Op::LoadSpecial => access::load_special,
        Op::EnterNative => access::enter_native::<HOOK>,
        Op::ExitNative => access::exit_native::<HOOK>,
        Op::StoreAttr => access::store_attr::<FREE>,
        Op::GetItem => access::get_item::<FREE>,
        Op::SetItem => access::set_item::<FREE>,
        Op::GetSlice => access::get_slice,

        Op::Add => operate::add,
        Op::Sub => operate::sub,
        Op::Mul => operate::mul,
        Op::AddImm => operate::add_imm,
        Op::SubImm => operate::sub_imm,
        Op::Binary => operate::binary,
        Op::BinaryImm => operate::binary_imm,
        Op::Neg => operate::neg,
        Op::Not => operate::not,
        Op::ToBool => operate::to_bool,
        Op::Compare => operate::compare,
        Op::Is => operate::is,
        Op::Contains => operate::contains,

        Op::Jump => operate::jump,
        Op::JumpBack => operate::jump_back,
        Op::JumpIfTrue => operate::jump_if_true,
        Op::JumpIfFalse => operate::jump_if_false,
        Op::JumpIfNone => operate::jump_if_none,
        Op::JumpIfNotNone => operate::jump_if_not_none,
        Op::JumpCmp => operate::jump_cmp,
        Op::JumpCmpImm => operate::jump_cmp_imm,
        Op::JumpIfUnbound => operate::jump_if_unbound,
        Op::JumpIfNotCommon => operate::jump_if_not_common,

        Op::GetIter => flow::get_iter,
        Op::ForIter => flow::for_iter::<FREE, HOOK>,
        Op::GetYieldFromIter => flow::get_yield_from_iter,
        Op::GetAwaitable => flow::get_awaitable,
        Op::ReturnGenerator => flow::return_generator,
        Op::Yield => flow::yield_::<HOOK>,
        Op::Send => flow::send::<HOOK>,
        Op::PushExc => flow::push_exc,
        Op::PopExc => flow::pop_exc,
        Op::Raise => flow::raise,
        Op::Reraise | Op::EndAsyncFor | Op::CleanupThrow => flow::raise_again,

        Op::Call => invoke::call::<HOOK>,
        Op::CallKw => invoke::call_kw,
        Op::CallEx => invoke::call_ex,
        Op::Return => invoke::return_,
        Op::ReturnConst => invoke::return_const,

        Op::MakeCell => build::make_cell,
        Op::CopyFreeVars => build::copy_free_vars,
        Op::LoadSuperAttr => build::load_super::<false>,
        Op::LoadSuperMethod => build::load_super::<true>,
        Op::DelItem => build::del_item,
        Op::BuildSet => build::build_set,
        Op::BuildMap => build::build_map,
        Op::BuildString => build::build_string,
        Op::BuildSlice => build::build_slice,
        Op::MapAdd => build::map_add,
        Op::ListExtend => build::list_extend,
        Op::SetUpdate => build::set_update,
        Op::DictMerge => build::dict_merge,
        Op::ListToTuple => build::list_to_tuple,
        Op::MakeFunction => build::make_function,
        Op::CheckExcMatch => build::check_exc_match,
        Op::Convert => build::convert,
        Op::FormatSimple => build::format_simple,
        Op::FormatSpec => build::format_spec,

        Op::DeleteLocal
        | Op::LoadCommon
        | Op::DeleteGlobal
        | Op::LoadName
        | Op::StoreName
        | Op::DeleteName
        | Op::LoadFromMappingOrGlobal
        | Op::LoadFromMappingOrDeref
        | Op::LoadLocals
        | Op::DeleteDeref
        | Op::DeleteAttr
        | Op::SetSlice
        | Op::Pos
        | Op::Invert
        | Op::GetAIter
        | Op::GetANext
        | Op::DictUpdate
        | Op::UnpackEx
        | Op::ImportName
        | Op::ImportFrom
        | Op::ImportStar
        | Op::CheckEgMatch
        | Op::PrepReraiseStar
        | Op::WithExceptStart
        | Op::AsyncGenWrap
        | Op::BuildInterpolation
        | Op::BuildTemplate
        | Op::GetLen
        | Op::MatchMapping
        | Op::MatchSequence
        | Op::MatchKeys
        | Op::MatchClass
        | Op::Intrinsic1
        | Op::Intrinsic2
        | Op::SetupAnnotations => rare,
    }
}

const fn table_of<const FREE: bool, const HOOK: bool, const PARALLEL: bool>() -> Table {
    let mut handlers: [Handler; Op::ALL.len()] = [moves::nop; Op::ALL.len()];
    let mut n = 0;
    while n < handlers.len() {
        handlers[n] = handler_of::<FREE, HOOK, PARALLEL>(Op::ALL[n]);
        n += 1;
    }
    Table(handlers)
}

/// With the GIL, without it on the only thread, without it among others.
static PLAIN: [Table; 3] = [
    table_of::<false, false, false>(),
    table_of::<true, false, false>(),
    table_of::<true, false, true>(),
];
/// What each instruction of a hooked thread begins with.
static HOOKED: Table = Table([hook; Op::ALL.len()]);
/// What `hook` goes on with.
static BEHIND_HOOK: [Table; 3] = [
    table_of::<false, true, false>(),
    table_of::<true, true, false>(),
    table_of::<true, true, true>(),
];

/// The number of the table that is right now. A thread may go on for a while with the one before.
#[inline(always)]
fn which() -> usize {
    if parallel() { 2 } else { usize::from(free_threaded()) }
}

/// The handler that executes an instruction of a hooked thread.
#[inline(always)]
pub(super) fn hooked_handler(op: Op) -> Handler {
    BEHIND_HOOK[which()].0[op as usize]
}

/// What comes of what happens before an instruction.
#[derive(Clone, Copy)]
enum Before {
    Here,
    Elsewhere,
    /// The exception was passed.
    Raised,
}

impl Vm {
    /// Runs the innermost frame until it returns.
    pub(crate) fn run(&self) -> Res<Value> {
        let entry = self.frames.depth.get();
        let outside = self.running.enter();
        self.choose_table();
        let result = self.drive(entry);
        self.running.leave(outside);
        result
    }

    /// Runs frames until the one number `entry` returns.
    fn drive(&self, entry: usize) -> Res<Value> {
        loop {
            let frame = self.frames.record(self.frames.depth.get() - 1);
            let raised = match State::of(self, frame).dispatch() {
                Exit::GoOn => continue,
                Exit::Done => return Ok(self.running.take_value()),
                Exit::Leave => {
                    // SAFETY: the innermost record, which may be the one that the loop was entered for.
                    match unsafe { self.return_from(frame_of(self), self.running.take_value(), entry) } {
                        Ok(Flow::Reload) => continue,
                        Ok(Flow::Done(value)) => return Ok(value),
                        Err(exc) => (exc, false),
                    }
                }
                exit @ (Exit::Raised | Exit::RaisedAgain) => {
                    let exc = Exc::from_value(self.running.take_value());
                    (exc, exit == Exit::RaisedAgain)
                }
            };
            match raised {
                (exc, false) => self.unwind(exc, entry)?,
                (exc, true) => self.unwind_again(exc, entry)?,
            }
        }
    }

    /// Goes on with the handlers that are right now: the hooked ones while there is something to do for them.
    fn choose_table(&self) {
        if switch_any() || self.wants_hooked_loop() {
            self.running.go_on_with(&HOOKED);
        } else {
            self.running.go_on_with(&PLAIN[which()]);
        }
    }

    /// A safepoint between two instructions where there is something to do.
    #[cold]
    #[inline(never)]
    pub(super) fn poll_between(&self) -> Res<()> {
        self.safepoint_slow()?;
        self.choose_table();
        Ok(())
    }

    /// Drops what handlers left to be dropped: what they could not drop plainly.
    #[inline(always)]
    pub(super) fn drop_dying(&self) {
        for word in self.running.take_dying() {
            if is_object(word) {
                // SAFETY: the word of a register, with its reference.
                unsafe { drop_last(word) };
            }
        }
    }

    /// What happens before the instruction at `at` of a hooked thread's innermost frame.
    #[inline(never)]
    fn before_instruction(&self, frame: *mut FrameData, at: *const u64) -> Before {
        match self.observe_or_switch(frame, at) {
            Ok(false) => Before::Here,
            Ok(true) => Before::Elsewhere,
            Err(exc) => {
                self.running.pass_exception(exc);
                Before::Raised
            }
        }
    }

    /// Whether the frame is to go on elsewhere than at `at`: at the place that its record has.
    fn observe_or_switch(&self, frame: *mut FrameData, at: *const u64) -> Res<bool> {
        // SAFETY: the innermost record.
        let place = unsafe { &(*frame).at };
        if self.is_observed() && self.observe(frame, at)? {
            // SAFETY: the record's place is behind the first word of an instruction.
            place.set(unsafe { place.get().sub(1) });
            return Ok(true);
        }
        if switch_any() {
            let left = self.switch_countdown.get();
            if left == 0 {
                place.set(at);
                self.switch_any_point()?;
            } else {
                self.switch_countdown.set(left - 1);
            }
        } else if !self.wants_hooked_loop() {
            self.choose_table();
        }
        Ok(false)
    }

    /// A possible switch between any two instructions, at a pseudo-random distance from the last.
    #[cold]
    fn switch_any_point(&self) -> Res<()> {
        let mut x = self.switch_seed.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.switch_seed.set(x);
        self.switch_countdown.set((x % 997) as u32 + 1);
        self.thread.yield_now();
        self.safepoint()
    }
}

fn frame_of(vm: &Vm) -> *mut FrameData {
    vm.frames.record(vm.frames.depth.get() - 1)
}

/// What an instruction of a hooked thread begins with.
#[handler]
pub(super) fn hook(s: State<'_>) -> Exit {
    // SAFETY: the word before the one behind the instruction is the instruction.
    let at = unsafe { s.i.next().sub(1) };
    match s.vm.before_instruction(s.frame, at) {
        Before::Here => s.rechosen().hooked(),
        Before::Elsewhere => s.reloaded().next(),
        Before::Raised => Exit::Raised,
    }
}

/// A safepoint between two instructions where there is something to do.
#[handler]
pub(super) fn poll(s: State<'_>) -> Exit {
    s.save();
    check!(s, s.vm.poll_between());
    s.rechosen().next()
}

/// Drops what an instruction replaced.
#[handler]
pub(super) fn bury(s: State<'_>) -> Exit {
    s.save();
    s.vm.drop_dying();
    s.next()
}

/// Drops what two words that were passed hold, mostly not the last references.
#[handler]
pub(super) fn release_both(s: State<'_>) -> Exit {
    let [first, second] = s.vm.running.take_dying();
    s.drop_both(first, second)
}

/// Ends the innermost frame with the value that was passed.
#[handler]
pub(super) fn leave(s: State<'_>) -> Exit {
    match s.frame().kind {
        FrameKind::Entry | FrameKind::Generator => return Exit::Leave,
        FrameKind::Init if s.frame().frame_object.get() == 0 => return s.tail(leave_init),
        FrameKind::Effect if s.frame().frame_object.get() == 0 => return s.tail(leave_effect),
        _ => {}
    }
    s.tail(leave_with_calls)
}

/// Gives up what the registers of the innermost frame hold, which it leaves empty, as long as no reference is the last one. Whether none was.
#[inline(always)]
fn clear_plainly(s: State<'_>) -> bool {
    let hand = s.hand();
    let Ok(nregs) = u16::try_from(s.code().nregs) else {
        return false;
    };
    for r in 0..nregs {
        let word = s.regs.word(r);
        // SAFETY: the register's reference is given up.
        if is_object(word) && !unsafe { drop_plainly(word, hand) } {
            std::hint::cold_path();
            return false;
        }
        s.regs.forget(r);
    }
    true
}

/// As `leave`, of the `__init__` of an instance that is being made, of whose frame nobody has an object.
#[handler]
fn leave_init(s: State<'_>) -> Exit {
    let (f, hand) = (s.frame(), s.hand());
    if s.vm.running.passed() != Value::NONE.bits() {
        return s.tail(leave_with_calls);
    }
    if !clear_plainly(s) {
        return s.tail(leave_with_calls);
    }
    // SAFETY: the record holds the function, whose class mostly does so too.
    if f.holder != 0 && !unsafe { drop_plainly(f.holder, hand) } {
        std::hint::cold_path();
        return s.tail(leave_with_calls);
    }
    s.vm.running.take();
    let frames = &s.vm.frames;
    frames.top.set(f.previous_top);
    frames.depth.set(frames.depth.get() - 1);
    // SAFETY: below is the frame of the instruction that pushed this one; its register holds the instance.
    unsafe {
        let caller: State<'_> = State::with(s.vm, s.frame.sub(1), s.table);
        let instance = Value::from_bits(std::mem::take(&mut *f.callee_slot));
        caller.put(f.dst, instance)
    }
}

/// As `leave`, of a frame whose result nobody wants, and of which nobody has an object.
#[handler]
fn leave_effect(s: State<'_>) -> Exit {
    let f = s.frame();
    if !clear_plainly(s) {
        return s.tail(leave_with_calls);
    }
    let value = s.vm.running.take();
    let frames = &s.vm.frames;
    frames.top.set(f.previous_top);
    frames.depth.set(frames.depth.get() - 1);
    // SAFETY: below is the frame of the instruction that pushed this one; its register holds the function.
    let (caller, function): (State<'_>, u64) = unsafe {
        (
            State::with(s.vm, s.frame.sub(1), s.table),
            std::mem::take(&mut *f.callee_slot),
        )
    };
    caller.drop_both(value, function)
}

/// As `leave`, of a frame of any kind that an instruction pushed.
#[handler]
fn leave_with_calls(s: State<'_>) -> Exit {
    // SAFETY: the innermost record. An instruction of the frame below pushed it, so that it is not the one that the loop was entered for.
    check!(s, unsafe { s.vm.return_from(s.frame, s.vm.running.take_value(), 0) });
    s.reloaded().next()
}

#[handler(apart)]
fn rare(s: Apart<'_>) -> Exit {
    s.save();
    s.rare()
}
