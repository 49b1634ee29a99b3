package httpio

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// notifyDisconnect calls disconnected, once, when the client of a socket closes its connection
// or no longer answers, until stop is called. It returns false if that is not possible.
func notifyDisconnect(socket int, disconnected func()) (stop func(), ok bool) {
	return clients.add(socket, disconnected)
}

// clients are those of all sockets of the process. One goroutine waits for all of them: reading
// from each connection would need a goroutine with a stack for each.
var clients = disconnects{waiting: map[uint64]func(){}}

type disconnects struct {
	mu sync.Mutex
	// set is an epoll instance, and fd its descriptor; nil while nobody waits.
	set *os.File
	fd  int
	// waiting are the functions to call, by a number that is used once.
	waiting map[uint64]func()
	last    uint64
}

func (d *disconnects) add(socket int, disconnected func()) (stop func(), ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set == nil && d.open() != nil {
		return nil, false
	}
	d.last++
	id := d.last
	d.waiting[id] = disconnected
	if d.register(socket, id) != nil {
		d.remove(id)
		return nil, false
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.remove(id)
	}, true
}

// open opens the set. mu is held.
func (d *disconnects) open() (err error) {
	if d.fd, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("create an epoll instance: %w", err)
	}
	// Then the runtime waits for the set as for a connection, without a thread.
	_ = syscall.SetNonblock(d.fd, true)
	set := os.NewFile(uintptr(d.fd), "epoll")
	conn, err := set.SyscallConn()
	if err == nil {
		err = set.SetReadDeadline(time.Time{}) // It fails if the runtime cannot wait for the set.
	}
	if err != nil {
		_ = set.Close() // It was never used.
		return fmt.Errorf("wait for the epoll instance: %w", err)
	}
	d.set = set
	go d.run(conn)
	return nil
}

// idBits is how many bits of a number one field of an event has.
const idBits = 32

// register adds a socket to the set. The kernel removes a socket that is closed. mu is held.
func (d *disconnects) register(socket int, id uint64) error {
	event := syscall.EpollEvent{
		Events: syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: int32(uint32(id)), Pad: int32(uint32(id >> idBits)),
	}
	if err := syscall.EpollCtl(d.fd, syscall.EPOLL_CTL_ADD, socket, &event); err != nil {
		return fmt.Errorf("wait for the socket: %w", err)
	}
	return nil
}

// remove removes a function, and closes the set after the last one. mu is held.
func (d *disconnects) remove(id uint64) {
	delete(d.waiting, id)
	if len(d.waiting) == 0 && d.set != nil {
		_ = d.set.Close()
		d.set = nil
		d.waiting = map[uint64]func(){} // The old one keeps its size.
	}
}

// run reports disconnected clients until the set is closed.
func (d *disconnects) run(set syscall.RawConn) {
	var events [128]syscall.EpollEvent
	for {
		var count int
		if set.Read(func(fd uintptr) bool {
			count, _ = syscall.EpollWait(int(fd), events[:], 0) // -1 if it was interrupted.
			return count != 0
		}) != nil {
			return
		}
		for _, event := range events[:max(count, 0)] {
			d.report(uint64(uint32(event.Fd)) | uint64(uint32(event.Pad))<<idBits)
		}
	}
}

func (d *disconnects) report(id uint64) {
	d.mu.Lock()
	disconnected := d.waiting[id]
	d.mu.Unlock()
	if disconnected != nil {
		disconnected()
	}
}
