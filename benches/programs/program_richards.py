"""An operating system's scheduler in miniature: methods, attributes, small objects."""

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
BUFFER = 4


class Packet:
    def __init__(self, link, ident, kind):
        self.link = link
        self.ident = ident
        self.kind = kind
        self.datum = 0
        self.data = [0] * BUFFER

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        p = queue
        while p.link is not None:
            p = p.link
        p.link = self
        return queue


class State:
    def __init__(self, pending=False, waiting=False, holding=False):
        self.pending = pending
        self.waiting = waiting
        self.holding = holding


class Task(State):
    def __init__(self, system, ident, priority, queue, pending, waiting):
        State.__init__(self, pending, waiting, False)
        self.system = system
        self.ident = ident
        self.priority = priority
        self.queue = queue
        self.next = system.first
        system.first = self
        system.table[ident] = self

    def held(self):
        return self.holding or (not self.pending and self.waiting)

    def run_task(self):
        message = None
        if self.pending and self.waiting:
            message = self.queue
            self.queue = message.link
            self.waiting = False
            self.pending = self.queue is not None
        return self.step(message)

    def add(self, packet, old):
        if self.queue is None:
            self.queue = packet
            self.pending = True
            if self.priority > old.priority:
                return self
        else:
            packet.append_to(self.queue)
        return old

    def wait(self):
        self.waiting = True
        return self

    def hold(self):
        self.system.holds += 1
        self.holding = True
        return self.next

    def release(self, ident):
        task = self.system.table[ident]
        task.holding = False
        return task if task.priority > self.priority else self

    def send(self, packet):
        target = self.system.table[packet.ident]
        self.system.sent += 1
        packet.link = None
        packet.ident = self.ident
        return target.add(packet, self)


class Idle(Task):
    def __init__(self, system, count):
        self.control = 1
        self.count = count
        Task.__init__(self, system, IDLE, 0, None, False, False)

    def step(self, message):
        self.count -= 1
        if self.count == 0:
            return self.hold()
        if self.control & 1 == 0:
            self.control //= 2
            return self.release(DEVICE_A)
        self.control = self.control // 2 ^ 0xD008
        return self.release(DEVICE_B)


class Worker(Task):
    def __init__(self, system, queue):
        self.target = HANDLER_A
        self.letter = 0
        Task.__init__(self, system, WORKER, 1000, queue, True, True)

    def step(self, message):
        if message is None:
            return self.wait()
        self.target = HANDLER_B if self.target == HANDLER_A else HANDLER_A
        message.ident = self.target
        message.datum = 0
        for i in range(BUFFER):
            self.letter += 1
            if self.letter > 26:
                self.letter = 1
            message.data[i] = 64 + self.letter
        return self.send(message)


class Handler(Task):
    def __init__(self, system, ident, priority, queue):
        self.work = None
        self.devices = None
        Task.__init__(self, system, ident, priority, queue, True, True)

    def step(self, message):
        if message is not None:
            if message.kind == "work":
                self.work = message.append_to(self.work)
            else:
                self.devices = message.append_to(self.devices)
        work = self.work
        if work is None:
            return self.wait()
        count = work.datum
        if count >= BUFFER:
            self.work = work.link
            return self.send(work)
        device = self.devices
        if device is None:
            return self.wait()
        self.devices = device.link
        device.datum = work.data[count]
        work.datum = count + 1
        return self.send(device)


class Device(Task):
    def __init__(self, system, ident, priority):
        self.held_packet = None
        Task.__init__(self, system, ident, priority, None, False, True)

    def step(self, message):
        if message is None:
            message = self.held_packet
            if message is None:
                return self.wait()
            self.held_packet = None
            return self.send(message)
        self.held_packet = message
        return self.hold()


class System:
    def __init__(self):
        self.first = None
        self.table = [None] * 6
        self.holds = 0
        self.sent = 0

    def schedule(self):
        task = self.first
        while task is not None:
            if task.held():
                task = task.next
            else:
                task = task.run_task()


def main():
    for _ in range(3):
        system = System()
        Idle(system, 10_000)
        queue = Packet(Packet(None, 0, "work"), 0, "work")
        Worker(system, queue)
        for ident, priority, device in ((HANDLER_A, 2000, DEVICE_A), (HANDLER_B, 3000, DEVICE_B)):
            queue = Packet(Packet(Packet(None, device, "dev"), device, "dev"), device, "dev")
            Handler(system, ident, priority, queue)
        Device(system, DEVICE_A, 4000)
        Device(system, DEVICE_B, 5000)
        system.schedule()
    return system.sent, system.holds


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
