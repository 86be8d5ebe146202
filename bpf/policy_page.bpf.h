/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy image as the programs see it, for shared/decision.h: a map, and its pages are the elements.
 */
#ifndef SOCKACCEPT_POLICY_PAGE_BPF_H
#define SOCKACCEPT_POLICY_PAGE_BPF_H

#include "shared/image.h"

#include <bpf/bpf_helpers.h>

typedef void *policy_ref;

static const struct policy_page *policy_page(policy_ref policy, __u32 number)
{
	return bpf_map_lookup_elem(policy, &number);
}

#endif
