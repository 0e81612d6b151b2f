module github.com/lockstep-exchange/lockstep

go 1.26
