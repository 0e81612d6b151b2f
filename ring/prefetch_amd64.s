#include "textflag.h"

// func Prefetch(word *int64)
TEXT ·Prefetch(SB), NOSPLIT, $0-8
	MOVQ word+0(FP), AX
	PREFETCHT0 (AX)
	RET

// func PrefetchHalf(half *uint32)
TEXT ·PrefetchHalf(SB), NOSPLIT, $0-8
	MOVQ half+0(FP), AX
	PREFETCHT0 (AX)
	RET
