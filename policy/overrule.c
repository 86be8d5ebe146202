/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out whether rules overrule a new one, by trying requests.
 *
 * Few of all possible requests have to be tried. Of the requests that two rules match, the one that the fewest other rules match is
 * enough: it has a user whom no rule names and a protocol that none can name, unless one of the two rules names one. A rule that
 * decides any of these requests decides that one too. Among the ports, a rule can begin to decide only where the two rules begin to
 * meet, or right after the last port of another rule.
 */
#include "policy/overrule.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/decide.h"
#include "policy/grow.h"
#include "policy/numbers.h"

/* As a request, port 0 stands for every port that only `any` matches: those above 65535 too. */
#define PORTS 65536

struct trial {
	uint32_t binary; /* of the new rule */
	const struct rule *rule;
	uint32_t other_user; /* whom no rule names */
	bool behind[PORTS];  /* [port]: the port before it is the last one of a rule */
};

/* The requests that two rules match and that have to be tried: one on each of these ports. */
struct meeting {
	struct request request;
	uint32_t first, last;
};

static uint32_t unnamed_user(const struct policy *policy, const struct rule *rule)
{
	_cleanup_free_ uint32_t *uids = must(calloc(policy->rule_count + 1, sizeof(*uids)));
	size_t count = 0;
	uint32_t uid = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].has_uid)
			uids[count++] = policy->rules[i].uid;
	if (rule->has_uid)
		uids[count++] = rule->uid;
	count = numbers_sort(uids, count);
	for (size_t i = 0; i < count && uids[i] <= uid; i++)
		uid = uids[i] + 1;
	return uid;
}

static void mark_ends(struct trial *trial, const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct port_item *port = &policy->rules[i].port;

		if (port->first && port->last < PORTS - 1)
			trial->behind[port->last + 1] = true;
	}
}

static struct trial *begin(const struct policy *policy, uint32_t binary, const struct rule *rule)
{
	struct trial *trial = must(calloc(1, sizeof(*trial)));

	trial->binary = binary;
	trial->rule = rule;
	trial->other_user = unnamed_user(policy, rule);
	mark_ends(trial, policy);
	return trial;
}

static bool meet_ports(const struct port_item *a, const struct port_item *b, struct meeting *meeting)
{
	uint32_t a_last = a->first ? a->last : PORTS - 1, b_last = b->first ? b->last : PORTS - 1;

	meeting->first = a->first > b->first ? a->first : b->first;
	meeting->last = a_last < b_last ? a_last : b_last;
	return meeting->first <= meeting->last;
}

/* Sets *meeting to what the new rule and `other`, for the binary of number `binary`, both match. Returns false if that is nothing. */
static bool meet(const struct trial *trial, const struct rule *other, uint32_t binary, struct meeting *meeting)
{
	const struct rule *rule = trial->rule;

	if (trial->binary != BINARY_ANY && binary != BINARY_ANY && trial->binary != binary)
		return false;
	if (rule->has_uid && other->has_uid && rule->uid != other->uid)
		return false;
	if (rule->port.protocol && other->port.protocol && rule->port.protocol != other->port.protocol)
		return false;
	meeting->request = (struct request){
		.binary = trial->binary != BINARY_ANY ? trial->binary : binary,
		.uid = rule->has_uid  ? rule->uid :
		       other->has_uid ? other->uid :
					trial->other_user,
		.protocol = rule->port.protocol ? rule->port.protocol : other->port.protocol,
	};
	return meet_ports(&rule->port, &other->port, meeting);
}

/* ---------------------------------------------------------------------------------------------
 * Who decides otherwise
 */

/* Returns true if the rule of this index decides one of the requests. */
static bool decides(const struct trial *trial, const struct image *image, size_t index, struct meeting *meeting)
{
	const struct policy_page *page = &image->pages[image->pages->header.rules_page + index / RULES_PER_PAGE];
	const struct rule_record *record = &page->rule[index % RULES_PER_PAGE];

	for (uint32_t port = meeting->first; port <= meeting->last; port++) {
		meeting->request.port = port;
		if ((port == meeting->first || trial->behind[port]) && decide_request(image, &meeting->request) == record)
			return true;
	}
	return false;
}

int overrulings_find(const struct policy *policy, uint32_t binary, const struct rule *rule, uint64_t now, struct overrulings *found)
{
	struct trial *trial = begin(policy, binary, rule);
	struct image image = { 0 };
	int error = 0;

	for (size_t i = 0; i < policy->rule_count && !error; i++) {
		const struct rule *other = &policy->rules[i];
		struct meeting meeting;

		if (!rule_decides(other) || other->verdict == rule->verdict ||
		    !meet(trial, other, policy->binaries[other->binary].number, &meeting))
			continue;
		meeting.request.now = other->until || rule->until ? now : 0;
		if (!image.count)
			error = image_build(policy, &image);
		if (!error && decides(trial, &image, i, &meeting))
			APPEND(found->rules, found->count, i);
	}
	image_clear(&image);
	free(trial);
	return error;
}

void overrulings_clear(struct overrulings *found)
{
	free(found->rules);
	*found = (struct overrulings){ 0 };
}

/* ---------------------------------------------------------------------------------------------
 * Whether anything changes
 */

static bool changes(const struct trial *trial, const struct image *before, const struct image *after, struct meeting *meeting)
{
	unsigned verdict = trial->rule->verdict;

	for (uint32_t port = meeting->first; port <= meeting->last; port++) {
		const struct request *request = &meeting->request;

		meeting->request.port = port;
		if ((port == meeting->first || trial->behind[port]) && decide_verdict(before, decide_request(before, request)) != verdict &&
		    decide_verdict(after, decide_request(after, request)) == verdict)
			return true;
	}
	return false;
}

/* A request that `before` decides otherwise is decided by one of its rules, or by its default: these are tried. */
static bool has_effect(const struct trial *trial, const struct policy *policy, const struct image *before, const struct image *after)
{
	static const struct rule whatever;
	struct meeting meeting;

	if (policy->verdict != trial->rule->verdict && meet(trial, &whatever, BINARY_ANY, &meeting) &&
	    changes(trial, before, after, &meeting))
		return true;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule->until && rule_decides(rule) && rule->verdict != trial->rule->verdict &&
		    meet(trial, rule, policy->binaries[rule->binary].number, &meeting) && changes(trial, before, after, &meeting))
			return true;
	}
	return false;
}

int overrule_effect(const struct policy *before, const struct policy *after, uint32_t binary, const struct rule *rule, bool *effect)
{
	struct image was = { 0 }, is = { 0 };
	int error = image_build(before, &was);
	struct trial *trial;

	if (!error)
		error = image_build(after, &is);
	if (!error) {
		trial = begin(before, binary, rule);
		mark_ends(trial, after);
		*effect = has_effect(trial, before, &was, &is);
		free(trial);
	}
	image_clear(&was);
	image_clear(&is);
	return error;
}
