/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attach OBJECT PROGRAM [PIN]: loads a program of an object file and attaches it, as long as this process lives. With PIN, an
 * extension of the program that is pinned there, in whose place it is put.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what, int error)
{
	printf("%s: %s\n", what, strerror(error));
	return 1;
}

int main(int count, char **arguments)
{
	struct bpf_object *object = count < 3 ? NULL : bpf_object__open_file(arguments[1], NULL);
	struct bpf_program *wanted, *program;
	int replaced = -1;

	if (!object)
		return fail("open", errno);
	wanted = bpf_object__find_program_by_name(object, arguments[2]);
	if (!wanted)
		return fail("find", errno);
	bpf_object__for_each_program (program, object)
		bpf_program__set_autoload(program, program == wanted);
	if (count == 4) {
		replaced = bpf_obj_get(arguments[3]);
		if (replaced < 0)
			return fail("target", errno);
		if (bpf_program__set_attach_target(wanted, replaced, strrchr(arguments[3], '/') + 1))
			return fail("function", errno);
	}
	if (bpf_object__load(object))
		return fail("load", errno);
	if (!bpf_program__attach(wanted))
		return fail("attach", errno);
	puts("attached");
	fflush(stdout);
	pause();
	return 0;
}
