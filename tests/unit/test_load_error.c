/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests which of libbpf's warnings is picked to say why a program was refused. The warnings are those of libbpf 1.1.2, shortened, as
 * Debian's kernels made it print them.
 * Fails if enforce/kernel/load_error.c picks another line; a new libbpf that words them differently needs new texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/kernel/load_error.h"

static struct load_error told(const char *const *warnings)
{
	struct load_error error = { 0 };

	for (; *warnings; warnings++)
		load_error_add(&error, *warnings);
	return error;
}

#define TOLD(...) told((const char *const[]){ __VA_ARGS__, NULL })

static void assert_meaning(const struct load_error *error, const char *part)
{
	const char *meaning = load_error_meaning(error);

	assert_non_null(meaning);
	assert_non_null(strstr(meaning, part));
}

static void test_verifier(void **state)
{
	struct load_error error =
		TOLD("libbpf: prog 'socket_accept': BPF program load failed: Permission denied\n",
		     "libbpf: prog 'socket_accept': -- BEGIN PROG LOAD LOG --\n"
		     "reg type unsupported for arg#0 function socket_accept#155\n"
		     "0: R1=ctx(off=0,imm=0) R10=fp0\n"
		     "1258: (b7) r3 = 1                     ; frame2: R3_w=1\n"
		     "1259: (85) call bpf_timer_init#169\n"
		     "bpf_timer cannot be used for PREEMPT_RT.\n"
		     "processed 958 insns (limit 1000000) max_states_per_insn 1 total_states 48 peak_states 48 mark_read 22\n"
		     "-- END PROG LOAD LOG --\n",
		     "libbpf: prog 'socket_accept': failed to load: -13\n", "libbpf: failed to load object 'sockaccept_bpf'\n",
		     "libbpf: failed to load BPF skeleton 'sockaccept_bpf': -13\n");

	(void)state;
	assert_string_equal(error.reason, "bpf_timer cannot be used for PREEMPT_RT");
	assert_string_equal(error.program, "socket_accept");
	assert_meaning(&error, "real-time kernel");
}

static void test_missing_field(void **state)
{
	struct load_error error = TOLD("libbpf: prog 'list_listeners': BPF program load failed: Invalid argument\n",
				       "libbpf: prog 'list_listeners': -- BEGIN PROG LOAD LOG --\n"
				       "51: (56) if w1 != 0x106 goto pc+54    ; R1_w=262\n"
				       "56: <invalid CO-RE relocation>\n"
				       "failed to resolve CO-RE relocation <byte_off> [172] struct mptcp_sock.first (0:0 @ offset 0)\n"
				       "processed 48 insns (limit 1000000) max_states_per_insn 0 total_states 4 peak_states 4 mark_read 2\n"
				       "-- END PROG LOAD LOG --\n",
				       "libbpf: prog 'list_listeners': failed to load: -22\n");
	struct load_error v6 = { .reason = "failed to resolve CO-RE relocation <byte_off> [159] struct sock.__sk_common.skc_v6_rcv_saddr "
					   "(0:0:8 @ offset 40)" };
	struct load_error other = { .reason = "failed to resolve CO-RE relocation <byte_off> [9] struct dentry.d_seq (0:0 @ offset 0)" };

	(void)state;
	assert_string_equal(error.reason, "failed to resolve CO-RE relocation <byte_off> [172] struct mptcp_sock.first (0:0 @ offset 0)");
	assert_string_equal(error.program, "list_listeners");
	assert_meaning(&error, "CONFIG_MPTCP=y");
	assert_meaning(&v6, "CONFIG_IPV6=y");
	assert_meaning(&other, "no such field");
}

static void test_missing_function(void **state)
{
	struct load_error error =
		TOLD("libbpf: prog 'accept_end': failed to find kernel BTF type ID of 'do_accept': -3\n",
		     "libbpf: prog 'accept_end': failed to prepare load attributes: -3\n",
		     "libbpf: prog 'accept_end': failed to load: -3\n", "libbpf: failed to load object 'sockaccept_bpf'\n");
	struct load_error hook = TOLD("libbpf: prog 'connection_graft': failed to find kernel BTF type ID of 'sock_graft': -3\n",
				      "libbpf: prog 'connection_graft': failed to load: -3\n");

	(void)state;
	assert_string_equal(error.reason, "prog 'accept_end': failed to find kernel BTF type ID of 'do_accept': -3");
	assert_string_equal(error.program, "accept_end");
	assert_meaning(&error, "no such function");
	assert_meaning(&hook, "CONFIG_SECURITY_NETWORK=y");
}

/* Names the map that there is no memory for, not one that could be made at the second try. */
static void test_map(void **state)
{
	struct load_error error =
		TOLD("libbpf: Error in bpf_create_map_xattr(entries):Cannot allocate memory(-12). Retrying without BTF.\n",
		     "libbpf: Error in bpf_create_map_xattr(events):Cannot allocate memory(-12). Retrying without BTF.\n",
		     "libbpf: map 'events': failed to create: Cannot allocate memory(-12)\n",
		     "libbpf: failed to load object 'sockaccept_bpf'\n");

	(void)state;
	assert_string_equal(error.reason, "map 'events': failed to create: Cannot allocate memory(-12)");
	assert_string_equal(error.program, "");
	assert_null(load_error_meaning(&error));
}

static void test_nothing_better(void **state)
{
	struct load_error error = TOLD("libbpf: prog 'socket_accept': BPF program load failed: Permission denied\n");
	struct load_error empty = TOLD("libbpf: prog 'socket_accept': BPF program load failed: Permission denied\n",
				       "libbpf: prog 'socket_accept': -- BEGIN PROG LOAD LOG --\n\n"
				       "processed 0 insns\n-- END PROG LOAD LOG --\n");
	char line[2000] = "libbpf: prog 'socket_accept': -- BEGIN PROG LOAD LOG --\n";

	(void)state;
	assert_string_equal(error.reason, "prog 'socket_accept': BPF program load failed: Permission denied");
	assert_string_equal(empty.reason, error.reason);
	memset(line + strlen(line), 'x', sizeof(line) - 1 - strlen(line));
	load_error_add(&error, line);
	assert_int_equal(strlen(error.reason), sizeof(error.reason) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verifier), cmocka_unit_test(test_missing_field),  cmocka_unit_test(test_missing_function),
		cmocka_unit_test(test_map),      cmocka_unit_test(test_nothing_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
