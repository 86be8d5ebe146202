/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listeners: prints who listens on this machine, and what a policy says of it: the one in force, or another.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "enforce/base/output.h"
#include "enforce/base/when.h"
#include "enforce/change/change_lock.h"
#include "enforce/change/policy_files.h"
#include "enforce/kernel/family.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listeners.h"
#include "enforce/kernel/live.h"
#include "enforce/records/record.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"

/* What is asked about each listener. */
struct inquiry {
	const struct image *image; /* empty: nothing is in force */
	uint64_t now;
	size_t denied;  /* listeners that the policy denies */
	size_t refused; /* those of them whose next listen(2) will be denied too */
};

static void print_verdict(struct output *output, struct inquiry *inquiry, const struct listener *listener)
{
	const struct request request = listener_request(listener, inquiry->now);
	bool asked = inquiry->image->count && listener->known;
	const struct rule_record *rule = asked ? decide_request(inquiry->image, &request) : NULL;
	unsigned verdict = asked ? decide_verdict(inquiry->image, rule) : VERDICT_ALLOW;
	bool refused = asked && listener_is_refused(listener, inquiry->image, inquiry->now);
	char text[RULE_TEXT_MAX];

	output_coloured(output, "verdict", "VERDICT", asked ? ini_verdict_words[verdict] : NULL,
			verdict == VERDICT_DENY ? COLOUR_BAD : COLOUR_GOOD);
	output_text(output, "rule", NULL, rule ? rule_text(&rule->label, text) : NULL);
	output_text(output, "next_listen", NULL, asked ? ini_verdict_words[refused ? VERDICT_DENY : VERDICT_ALLOW] : NULL);
	inquiry->denied += verdict == VERDICT_DENY;
	inquiry->refused += refused;
}

/* By enum gate_state. */
static const char *const gate_words[] = { NULL, "open", "shut" };

/* Returns the state of the listener's gate, or NULL if it has none or nothing is known of it. */
static const char *gate_of(const struct inquiry *inquiry, const struct listening *socket)
{
	bool has_gate = socket->class == PROTOCOL_TCP || socket->class == PROTOCOL_SCTP;

	if (!has_gate || !inquiry->image->count || !(inquiry->image->pages->header.flags & POLICY_GATES))
		return NULL;
	return socket->gate <= GATE_SHUT ? gate_words[socket->gate] : NULL;
}

static void print_place(struct output *output, const struct inquiry *inquiry, const struct listener *listener)
{
	const struct listening *socket = &listener->socket;
	char address[ADDRESS_TEXT_MAX], place[LISTENER_TEXT_MAX], queue[24];

	snprintf(queue, sizeof(queue), "%" PRIu32 "/%" PRIu32, socket->backlog, socket->backlog_max);
	output_text(output, NULL, "LISTENS ON", listener_text(listener, place));
	output_text(output, NULL, "QUEUE", queue);
	output_text(output, "gate", "GATE", gate_of(inquiry, socket));
	output_text(output, "protocol", NULL, protocol_word(socket->family, socket->protocol));
	output_text(output, "address", NULL, address_text(socket->family, &socket->local, address));
	if (family_has_ports(socket->family))
		output_number(output, "port", NULL, socket->local.port);
	else
		output_null(output, "port");
	output_number(output, "netns", NULL, socket->netns);
	output_number(output, "backlog", NULL, socket->backlog);
	output_number(output, "backlog_max", NULL, socket->backlog_max);
}

static void print_program(struct output *output, const struct listener *listener)
{
	char bracketed[LISTENER_PROGRAM_MAX];

	output_text(output, "binary", NULL, listener->foreign ? NULL : listener->path);
	if (listener->foreign)
		output_text(output, "binary_hint", NULL, listener->path);
	output_text(output, NULL, "BINARY", listener->path ? listener_program(listener, bracketed) : NULL);
}

static void print_listener(struct output *output, struct inquiry *inquiry, const struct listener *listener)
{
	output_open_object(output, NULL);
	print_verdict(output, inquiry, listener);
	print_place(output, inquiry, listener);
	output_number(output, "uid", "USER", listener->socket.uid);
	output_number(output, "pid", "PID", listener->socket.pid);
	output_number(output, "processes", NULL, listener->processes);
	output_text(output, "unit", NULL, listener->unit);
	output_text(output, "cgroup", NULL, listener->cgroup);
	/* The cgroup shows best whose a foreign file is. */
	output_text(output, NULL, "UNIT", listener->foreign ? listener->cgroup : listener->unit);
	print_program(output, listener);
	output_close(output);
}

static void print_remark(size_t count, const struct inquiry *inquiry, const char *source)
{
	printf("\n%zu listener%s", count, count == 1 ? "" : "s");
	if (!inquiry->image->count)
		puts(". Nothing is in force; ask with --policy FILE, or run: sockaccept-ctl load");
	else if (inquiry->image->pages->header.mode == MODE_PERMISSIVE)
		printf(", of which %s denies %zu in word only: its mode is permissive\n", source, inquiry->denied);
	else if (inquiry->refused)
		printf(", of which %s denies %zu; the next listen(2) of %zu will fail\n", source, inquiry->denied, inquiry->refused);
	else
		printf(", of which %s denies %zu\n", source, inquiry->denied);
}

static void print_all(const struct invocation *invocation, const struct listeners *listeners, const struct image *image)
{
	struct inquiry inquiry = { .image = image, .now = (uint64_t)when_now().boot };
	const char *policy = invocation->given[OPTION_POLICY];
	struct output output;

	output_start(&output, stdout, invocation->given[OPTION_JSON]);
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_text(&output, "policy", NULL, policy ?: image->count ? "live" : NULL);
	output_text(&output, "mode", NULL, image->count ? ini_mode_words[image->pages->header.mode] : NULL);
	output_open_table(&output, "listeners");
	for (size_t i = 0; i < listeners->count; i++)
		print_listener(&output, &inquiry, &listeners->list[i]);
	output_close(&output);
	output_close(&output);
	if (!output.json)
		print_remark(listeners->count, &inquiry, policy ?: "the live policy");
	output_end(&output);
}

/* Reads the policy that is asked into `policy`. It stays empty if nothing is in force and no file was given. */
static enum status read_policy(struct kernel *kernel, const char *path, bool loaded, struct policy *policy)
{
	_cleanup_policy_ struct policy live = POLICY_INIT;

	if (!path)
		return loaded ? live_read_image(kernel, policy) : STATUS_DONE;
	if (policy_files_read_valid(path, READ_FOR_LOAD, false, policy) != STATUS_DONE)
		return fail(STATUS_INVALID, "the policy is invalid");
	/* Temporary rules stay in force with `load`, so they count here too. */
	if (loaded)
		TRY(live_read_image(kernel, &live));
	policy_keep_temporaries(policy, &live);
	return live_number(kernel, policy, true);
}

static enum status show(const struct invocation *invocation, struct kernel *kernel, bool loaded)
{
	const char *path = invocation->given[OPTION_POLICY];
	_cleanup_listeners_ struct listeners listeners = { 0 };
	_cleanup_image_ struct image image = { 0 };
	_cleanup_policy_ struct policy policy = POLICY_INIT;
	int error = 0;

	TRY(read_policy(kernel, path, loaded, &policy));
	if (path || loaded)
		error = image_build(&policy, &image);
	if (!error)
		error = listeners_find(kernel, &listeners);
	if (error)
		return fail(STATUS_FAILED, "can't tell who listens: %s", strerror(-error));
	print_all(invocation, &listeners, &image);
	return STATUS_DONE;
}

/* Shows who listens while nothing is loaded: loads a kernel side for the question, and attaches nothing of it that decides. */
static enum status show_unloaded(const struct invocation *invocation, struct kernel *kernel)
{
	enum status status;

	TRY(kernel_prepare(kernel, MIN_EVENTS));
	status = show(invocation, kernel, false);
	kernel_detach();
	return status;
}

enum status verb_listeners(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_close_ int lock = -1;
	enum status status;

	TRY(change_lock_take(&lock));
	status = kernel_open(&kernel, invocation->given[OPTION_POLICY], true);
	if (status == STATUS_NOT_LOADED)
		return show_unloaded(invocation, &kernel);
	TRY(status);
	return show(invocation, &kernel, true);
}
