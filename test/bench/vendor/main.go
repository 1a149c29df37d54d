// Salesforce's query interfaces over records on disk, for measuring who reads them: REST queries and Bulk 2.0 query jobs.
// It spends next to nothing itself: answers are slices of files, sent by the kernel (sendfile). It is no simulation of an
// org, which test/sandboxes/salesforce is: whatever it does not know for certain it refuses.
//
// An object `Rows<N>__c` has the first N records; past the end of the file they come again, under later Ids and years.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
)

const mostPage = 2000

var (
	folder   = flag.String("data", "", "folder of the records")
	zipped   = flag.Bool("gzip", false, "gzip answers for those who take it")
	store    *records
	fields   []map[string]any
	selected string
	rowsSent atomic.Int64
	requests atomic.Int64
	objects  = regexp.MustCompile(`^Rows(\d+)__c$`)
)

func main() {
	flag.Parse()
	var err error
	if store, err = openRecords(*folder); err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(*folder + "/fields.json")
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		log.Fatal(err)
	}
	names := []string{}
	for _, field := range fields {
		names = append(names, field["name"].(string))
	}
	selected = strings.Join(names, ",")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"url\":\"http://%s\",\"pid\":%d}\n", listener.Addr(), os.Getpid())
	go func() { // it ends with whoever started it
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}()
	log.Fatal(http.Serve(listener, http.HandlerFunc(serve)))
}

func serve(w http.ResponseWriter, r *http.Request) {
	requests.Add(1)
	w.Header().Set("Sforce-Limit-Info", "api-usage=17/5000000")
	path := strings.Trim(r.URL.Path, "/")
	switch {
	case path == "services/oauth2/token":
		base := "http://" + r.Host
		answer(w, map[string]any{"access_token": "00Dbench!token", "token_type": "Bearer", "instance_url": base,
			"id": base + "/id/00D000000000001EAA/005000000000001AAA", "issued_at": "1420070400000"})
		return
	case path == "services/data": // whose Date is the clock
		answer(w, []any{})
		return
	case path == "__served":
		answer(w, map[string]any{"rows": rowsSent.Load(), "requests": requests.Load()})
		return
	case r.Header.Get("Authorization") == "":
		refuse(w, 401, "INVALID_SESSION_ID", "Session expired or invalid")
		return
	case path == "services/oauth2/userinfo":
		answer(w, map[string]any{"organization_id": "00D000000000001EAA", "user_id": "005000000000001AAA"})
		return
	}
	parts := strings.Split(path, "/")
	if len(parts) < 4 || parts[0] != "services" || parts[1] != "data" {
		refuse(w, 404, "NOT_FOUND", "The requested resource does not exist")
		return
	}
	rest := parts[3:]
	switch {
	case len(rest) == 3 && rest[0] == "sobjects" && rest[2] == "describe":
		if objects.FindStringSubmatch(rest[1]) == nil {
			refuse(w, 404, "NOT_FOUND", "The requested resource does not exist")
			return
		}
		answer(w, map[string]any{"name": rest[1], "queryable": true, "fields": fields})
	case rest[0] == "sobjects" && len(rest) == 1:
		answer(w, map[string]any{"sobjects": []any{}})
	case rest[0] == "limits":
		answer(w, map[string]any{"DailyApiRequests": map[string]int{"Max": 5000000, "Remaining": 4999983}})
	case len(rest) == 1 && (rest[0] == "query" || rest[0] == "queryAll"):
		query(w, r, parts[2], rest[0])
	case len(rest) == 2 && (rest[0] == "query" || rest[0] == "queryAll"):
		more(w, r, parts[2], rest[0], rest[1])
	case len(rest) >= 2 && rest[0] == "jobs" && rest[1] == "query":
		job(w, r, parts[2], rest[2:])
	default:
		refuse(w, 404, "NOT_FOUND", "The requested resource does not exist")
	}
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = json.NewEncoder(w).Encode(value)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode([]map[string]string{{"errorCode": code, "message": message}})
}

// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
func query(w http.ResponseWriter, r *http.Request, version, resource string) {
	asked, err := parse(r.URL.Query().Get("q"))
	if err != nil {
		refuse(w, 400, "MALFORMED_QUERY", err.Error())
		return
	}
	if asked.counts {
		answer(w, map[string]any{"totalSize": asked.hi - asked.lo, "done": true, "records": []any{}})
		return
	}
	if asked.edge != "" {
		answer(w, store.edge(asked))
		return
	}
	page(w, r, version, resource, asked.lo, asked.hi, asked.lo)
}

// A locator says what it stands for, so that the same page is the same bytes in every round.
func more(w http.ResponseWriter, r *http.Request, version, resource, locator string) {
	var lo, hi, at int
	if _, err := fmt.Sscanf(locator, "01gBENCH-%d-%d-%d", &lo, &hi, &at); err != nil || at < lo || at > hi {
		refuse(w, 400, "INVALID_QUERY_LOCATOR", "invalid query locator")
		return
	}
	page(w, r, version, resource, lo, hi, at)
}

func page(w http.ResponseWriter, r *http.Request, version, resource string, lo, hi, at int) {
	size := mostPage
	if _, text, ok := strings.Cut(r.Header.Get("Sforce-Query-Options"), "batchSize="); ok {
		if asked, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && asked >= 200 && asked < size {
			size = asked
		}
	}
	to := min(at+size, hi)
	next := ""
	if to < hi {
		next = fmt.Sprintf(`,"nextRecordsUrl":"/services/data/%s/%s/01gBENCH-%d-%d-%d"`, version, resource, lo, hi, to)
	}
	before := fmt.Sprintf(`{"totalSize":%d,"done":%t%s,"records":[`, hi-lo, to == hi, next)
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	send(w, r, slice{form: &store.json, from: at, to: to, before: before, after: "]}"})
}

// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
func job(w http.ResponseWriter, r *http.Request, version string, rest []string) {
	if len(rest) == 0 && r.Method == "POST" {
		var body struct{ Operation, Query string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			refuse(w, 400, "JSON_PARSER_ERROR", err.Error())
			return
		}
		asked, err := parse(body.Query)
		if err != nil || asked.counts || asked.edge != "" {
			refuse(w, 400, "API_ERROR", fmt.Sprint("not a query of Bulk: ", err))
			return
		}
		answer(w, state(asked.lo, asked.hi, asked.object, body.Operation, version, "UploadComplete"))
		return
	}
	if len(rest) == 0 {
		answer(w, map[string]any{"done": true, "records": []any{}, "nextRecordsUrl": nil})
		return
	}
	var lo, hi int
	if _, err := fmt.Sscanf(rest[0], "750BENCH-%d-%d", &lo, &hi); err != nil {
		refuse(w, 404, "NOT_FOUND", "The requested resource does not exist")
		return
	}
	switch {
	case len(rest) == 1 && r.Method == "DELETE":
		w.WriteHeader(204)
	case len(rest) == 1 && r.Method == "PATCH":
		answer(w, state(lo, hi, "", "query", version, "Aborted"))
	case len(rest) == 1:
		answer(w, state(lo, hi, "", "query", version, "JobComplete"))
	case len(rest) == 2 && rest[1] == "results":
		results(w, r, lo, hi)
	case len(rest) == 2 && rest[1] == "resultPages":
		resultPages(w, r, version, rest[0], lo, hi)
	default:
		refuse(w, 404, "NOT_FOUND", "The requested resource does not exist")
	}
}

func state(lo, hi int, object, operation, version, state string) map[string]any {
	number, _ := strconv.ParseFloat(strings.TrimPrefix(version, "v"), 64)
	job := map[string]any{"id": fmt.Sprintf("750BENCH-%d-%d", lo, hi), "operation": operation, "object": object,
		"createdById": "005000000000001AAA", "createdDate": "2024-06-11T08:30:10.000+0000",
		"systemModstamp": "2024-06-11T08:30:10.000+0000", "state": state, "concurrencyMode": "Parallel",
		"contentType": "CSV", "apiVersion": number, "jobType": "V2Query", "lineEnding": "LF", "columnDelimiter": "COMMA"}
	if state == "JobComplete" {
		job["numberRecordsProcessed"], job["retries"], job["totalProcessingTime"] = hi-lo, 0, 1
	}
	return job
}

// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm
func results(w http.ResponseWriter, r *http.Request, lo, hi int) {
	at, size := lo, 50_000
	if text := r.URL.Query().Get("maxRecords"); text != "" {
		size, _ = strconv.Atoi(text)
	}
	if text := r.URL.Query().Get("locator"); text != "" {
		var err error
		if at, err = strconv.Atoi(strings.TrimPrefix(text, "BENCH")); err != nil || at < lo || at > hi {
			refuse(w, 400, "INVALID_QUERY_LOCATOR", "invalid query locator")
			return
		}
	}
	to := min(at+max(size, 1), hi)
	next := "null"
	if to < hi {
		next = fmt.Sprintf("BENCH%d", to)
	}
	w.Header().Set("Content-Type", "text/csv")
	w.Header().Set("Sforce-Locator", next)
	w.Header().Set("Sforce-NumberOfRecords", strconv.Itoa(to-at))
	send(w, r, slice{form: &store.csv, from: at, to: to, before: store.header})
}

// Up to five at a time: https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_parallel_results.htm
func resultPages(w http.ResponseWriter, r *http.Request, version, id string, lo, hi int) {
	at := lo
	if text := r.URL.Query().Get("locator"); text != "" {
		at, _ = strconv.Atoi(text)
	}
	base := fmt.Sprintf("/services/data/%s/jobs/query/%s", version, id)
	pages := []map[string]string{}
	for ; len(pages) < 5 && (at < hi || at == lo && len(pages) == 0); at += 50_000 {
		pages = append(pages, map[string]string{"resultUrl": fmt.Sprintf("%s/results?locator=BENCH%d&maxRecords=50000", base, at)})
	}
	list := map[string]any{"resultPages": pages, "nextRecordsUrl": nil, "done": true}
	if at < hi {
		list["nextRecordsUrl"], list["done"] = fmt.Sprintf("%s/resultPages?locator=%d", base, at), false
	}
	answer(w, list)
}
