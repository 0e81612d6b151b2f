#include "textflag.h"

// func Prefetch(word *int64)
TEXT ·Prefetch(SB), NOSPLIT, $0-8
	MOVD word+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET

// func PrefetchHalf(half *uint32)
TEXT ·PrefetchHalf(SB), NOSPLIT, $0-8
	MOVD half+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET
