/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the code that both sides compile needs of the compiler, and what the verifier needs the compiler not to do.
 */
#ifndef SOCKACCEPT_COMPILER_H
#define SOCKACCEPT_COMPILER_H

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* For the BPF programs it saves the loop's state. gcc, which compiles this for tests, doesn't know it. */
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL
#endif

/*
 * Makes the compiler forget what it knows about a variable. It then keeps a mask that it could prove needless, but that the kernel's
 * verifier needs.
 */
#define FORGET(variable) __asm__ volatile("" : "+r"(variable))

/*
 * Makes the verifier forget what it knows about a variable. Without this it follows each constant that the variable can be, in each
 * combination with others, through all that comes after. `noise` is any number that the verifier doesn't know.
 */
#define BLUR(variable, noise)          \
	do {                           \
		(variable) ^= (noise); \
		FORGET(variable);      \
		(variable) ^= (noise); \
	} while (0)

/* Calls step(i, context) for each i below `count`, until it returns 1. A verifier looks at one step, not at each. */
#ifdef __bpf__
#define REPEAT(count, step, context) bpf_loop(count, step, context, 0)
#else
#define REPEAT(count, step, context) for (unsigned i_ = 0; i_ < (count) && !(step)(i_, context); i_++)
#endif

/*
 * Marks a function that verifiers look at once, for all arguments, and not again at each call. It can take numbers and pointers to
 * plain memory, which verifiers think may be NULL, and returns a number. (Such a function isn't static; `noinline` alone keeps it
 * whole.)
 */
#define VERIFIED_ALONE __attribute__((noinline))

/*
 * Calls a function that isn't inlined, for its effect. The compiler drops a result that nobody uses or that is always the same. A
 * verifier (seen: 7.3) then refuses a function that leaves an address of its stack where the result should be.
 */
#define CALL(call)                     \
	do {                           \
		long result_ = (call); \
		FORGET(result_);       \
	} while (0)

#endif
