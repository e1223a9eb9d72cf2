"""Looking into other processes (PEP 768), which Lisle does not support: `asyncio.tools` needs the names to be there."""

from collections import namedtuple

PROCESS_VM_READV_SUPPORTED = 0

TaskInfo = namedtuple("TaskInfo", "task_id task_name coroutine_stack awaited_by", module=__name__)
FrameInfo = namedtuple("FrameInfo", "filename lineno funcname", module=__name__)
CoroInfo = namedtuple("CoroInfo", "call_stack task_name", module=__name__)
ThreadInfo = namedtuple("ThreadInfo", "thread_id frame_list", module=__name__)
AwaitedInfo = namedtuple("AwaitedInfo", "thread_id awaited_by", module=__name__)


class RemoteUnwinder:
    """Reads the stacks of another process; not supported by Lisle."""

    def __init__(self, pid, *, all_threads=False, only_active_thread=False, debug=False):
        raise RuntimeError("Lisle cannot read the stacks of other processes")
