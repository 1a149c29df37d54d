module lakeward.invalid/bench/vendor

go 1.21
