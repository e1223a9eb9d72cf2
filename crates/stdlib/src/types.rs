//! `_types`: the builtin types that have no name in `builtins`, for `types`.
//!
//! Invariant: none of its own. `CapsuleType` is there by name alone: nothing makes capsules, since there are no C extensions.

use lisle_runtime::native::{Native, Vm, pyclass, pymodule};
use lisle_runtime::types::async_generator::AsyncGenerator;
use lisle_runtime::types::cell::Cell;
use lisle_runtime::types::code::Code;
use lisle_runtime::types::coroutine::Coroutine;
use lisle_runtime::types::descriptors::{GetSet, Member, MethodWrapper, SlotWrapper};
use lisle_runtime::types::frame::Frame;
use lisle_runtime::types::function::Function;
use lisle_runtime::types::generator::Generator;
use lisle_runtime::types::generic_alias;
use lisle_runtime::types::mappingproxy::MappingProxy;
use lisle_runtime::types::method::Method;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::namespace::Namespace;
use lisle_runtime::types::native_function::{ClassMethodDescriptor, MethodDescriptor, NativeFunction};
use lisle_runtime::types::singletons;
use lisle_runtime::types::traceback::Traceback;
use lisle_runtime::types::union_type::Union;

/// A capsule of C's.
#[pyclass(
    name = "PyCapsule",
    module = "types",
    no_new,
    no_methods,
    gc = false,
    doc = "Capsule objects let you wrap a C \"void *\" pointer in a Python\nobject.  They're a way of passing data through the Python interpreter\nwithout creating your own custom type.\n\nCapsules are used for communication between extension modules.\nThey provide a way for an extension module to export a C interface\nto other extension modules, so that extension modules can use the\nPython import mechanism to link to one another."
)]
pub struct Capsule {}

/// An attribute for each type.
macro_rules! types {
    ($($name:ident = $ty:ty;)+) => {
        #[pymodule(name = "_types", doc = "Define names for built-in types.")]
        pub mod module {
            use super::*;

            #[init]
            fn init(_: &Vm, module: &lisle_runtime::native::Py<Module>) -> lisle_runtime::native::Res<()> {
                $( module.set(stringify!($name), <$ty>::ty().to_value()); )+
                Ok(())
            }
        }
    };
}

types! {
    AsyncGeneratorType = AsyncGenerator;
    BuiltinFunctionType = NativeFunction;
    BuiltinMethodType = NativeFunction;
    CapsuleType = Capsule;
    CellType = Cell;
    ClassMethodDescriptorType = ClassMethodDescriptor;
    CodeType = Code;
    CoroutineType = Coroutine;
    EllipsisType = singletons::EllipsisType;
    FrameType = Frame;
    FunctionType = Function;
    GeneratorType = Generator;
    GenericAlias = generic_alias::GenericAlias;
    GetSetDescriptorType = GetSet;
    LambdaType = Function;
    MappingProxyType = MappingProxy;
    MemberDescriptorType = Member;
    MethodDescriptorType = MethodDescriptor;
    MethodType = Method;
    MethodWrapperType = MethodWrapper;
    ModuleType = Module;
    NoneType = singletons::NoneType;
    NotImplementedType = singletons::NotImplementedType;
    SimpleNamespace = Namespace;
    TracebackType = Traceback;
    UnionType = Union;
    WrapperDescriptorType = SlotWrapper;
}
