//go:build unix

package apigateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// BenchmarkRequest is a request through a server, the gateway, the engine and
// a Go function that answers with its event. p50-us and p99-us are percentiles
// in microseconds.
func BenchmarkRequest(b *testing.B) {
	for _, connections := range []int{1, 64} {
		b.Run(strconv.Itoa(connections), func(b *testing.B) { benchmarkRequests(b, connections) })
	}
}

func benchmarkRequests(b *testing.B, connections int) {
	api := &model.API{
		ID: model.ID{Path: "Shop/Api", Name: "Api"}, Protocol: model.HTTP, APIID: "abc", StageName: "$default",
		Routes: []*model.Route{{Method: "GET", Path: "/hello/{id}", Function: goFunction("proxy"), PayloadFormatVersion: "2.0", TimeoutMillis: 30000, AuthorizationType: "NONE"}},
	}
	address, _ := serve(b, Options{Application: application(api), Invoke: newEngine(b).Invoke, Logs: io.Discard})
	var left atomic.Int64
	left.Store(int64(b.N) + int64(connections))
	times := make([][]time.Duration, connections)
	var group sync.WaitGroup
	b.ResetTimer()
	for n := range connections {
		group.Go(func() { times[n] = drive(b, address, &left) })
	}
	group.Wait()
	b.StopTimer()
	all := slices.Concat(times...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "req/s")
}

// drive sends requests over one connection until none are left.
func drive(b *testing.B, address string, left *atomic.Int64) (times []time.Duration) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return nil
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for left.Add(-1) >= 0 {
		began := time.Now()
		if _, err := io.WriteString(conn, "GET /hello/17?a=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n\r\n"); err != nil {
			b.Error(err)
			return times
		}
		reply, err := http.ReadResponse(reader, nil)
		if err != nil {
			b.Error(err)
			return times
		}
		if _, err := io.Copy(io.Discard, reply.Body); err != nil || reply.StatusCode != 200 {
			b.Errorf("%s, %v", reply.Status, err)
		}
		times = append(times, time.Since(began))
	}
	return times
}
