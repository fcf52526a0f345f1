// forward is the one static program in the images of the node: "pause" holds a pod's namespaces, "listen FROM TO" passes
// TCP connections on, "dial ADDRESS=OUTCOME…" says of each whether connections are let through, "sleep" waits until it is stopped.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: forward pause | sleep | listen FROM TO | dial ADDRESS=OUTCOME…")
	}
	switch os.Args[1] {
	case "pause", "sleep":
		wait()
	case "listen":
		listener, err := net.Listen("tcp", os.Args[2])
		if err != nil {
			fail(err.Error())
		}
		go accept(listener, os.Args[3])
		wait()
	case "dial":
		var dialing sync.WaitGroup
		for _, argument := range os.Args[2:] {
			address, expected, _ := strings.Cut(argument, "=")
			dialing.Go(func() { dial(address, expected) })
		}
		dialing.Wait()
	default:
		fail("unknown command " + os.Args[1])
	}
}

// dial prints the outcome of its last try, once ten in a row were as expected, or after ten minutes: the firewall learns
// of a new pod later, on a machine that does a lot else much later.
func dial(address, expected string) {
	outcome := ""
	for end, expectedly := time.Now().Add(10*time.Minute), 0; expectedly < 10 && time.Now().Before(end); time.Sleep(time.Second) {
		connection, err := net.DialTimeout("tcp", address, 3*time.Second)
		outcome = "refused"
		if err == nil {
			outcome = "allowed"
			connection.Close()
		}
		expectedly++
		if outcome != expected {
			expectedly = 0
		}
	}
	fmt.Println(address, outcome)
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}

// wait returns at SIGTERM; as first process of a pod it also reaps what was left to it.
func wait() {
	stop, children := make(chan os.Signal, 1), make(chan os.Signal, 8)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		select {
		case <-stop:
			return
		case <-children:
			for pid := 1; pid > 0; {
				pid, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			}
		}
	}
}

func accept(listener net.Listener, target string) {
	for {
		from, err := listener.Accept()
		if err != nil {
			return
		}
		go pass(from.(*net.TCPConn), target)
	}
}

func pass(from *net.TCPConn, target string) {
	defer from.Close()
	connection, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	to := connection.(*net.TCPConn)
	defer to.Close()
	done := make(chan struct{})
	go func() {
		io.Copy(to, from)
		to.CloseWrite()
		close(done)
	}()
	io.Copy(from, to)
	from.CloseWrite()
	<-done
}
