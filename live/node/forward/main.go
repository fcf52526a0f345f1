// forward is the one static program in the images of the node: "pause" holds a pod's namespaces, "listen FROM TO" passes
// TCP connections on, "dial ADDRESS…" says of each whether connections are let through, "sleep" waits until it is stopped.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: forward pause | sleep | listen FROM TO | dial ADDRESS…")
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
		for _, address := range os.Args[2:] {
			dialing.Go(func() { dial(address) })
		}
		dialing.Wait()
	default:
		fail("unknown command " + os.Args[1])
	}
}

// dial tries for ten seconds and prints the outcome of its last try: the firewall learns of a new pod a little later.
func dial(address string) {
	outcome := ""
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
		connection, err := net.DialTimeout("tcp", address, 3*time.Second)
		outcome = "refused"
		if err == nil {
			outcome = "allowed"
			connection.Close()
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
