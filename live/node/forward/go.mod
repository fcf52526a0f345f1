module forward

go 1.23
