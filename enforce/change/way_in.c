/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/way_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/text.h"

bool way_in_has(const struct way_in *way, unsigned port)
{
	for (size_t i = 0; i < way->count; i++)
		if (way->ports[i] == port)
			return true;
	return false;
}

static void add_port(struct way_in *way, unsigned port)
{
	if (port && port <= 65535 && way->count < WAY_IN_PORTS && !way_in_has(way, port))
		way->ports[way->count++] = port;
}

/* `client-address client-port server-address server-port` */
static void add_ssh_connection(struct way_in *way, const char *connection)
{
	unsigned port;

	if (sscanf(connection, "%*s %*u %*s %u", &port) == 1)
		add_port(way, port);
}

static void add_environment(struct way_in *way, unsigned pid)
{
	static const char name[] = "SSH_CONNECTION=";
	_cleanup_free_ char *path = text_format("/proc/%u/environ", pid);
	_cleanup_fclose_ FILE *stream = fopen(path, "re");
	_cleanup_free_ char *entry = NULL;
	size_t room = 0;

	while (stream && getdelim(&entry, &room, '\0', stream) > 0)
		if (!strncmp(entry, name, sizeof(name) - 1))
			add_ssh_connection(way, entry + sizeof(name) - 1);
}

/* ---------------------------------------------------------------------------------------------
 * Connections of a process
 */

#define SOCKETS_MAX 256
struct sockets {
	unsigned long inodes[SOCKETS_MAX];
	size_t count;
};

static void find_sockets(struct sockets *sockets, unsigned pid)
{
	_cleanup_free_ char *path = text_format("/proc/%u/fd", pid);
	_cleanup_closedir_ DIR *directory = opendir(path);
	struct dirent *entry;
	char target[64];

	sockets->count = 0;
	while (directory && (entry = readdir(directory)) && sockets->count < SOCKETS_MAX) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		target[length < 0 ? 0 : length] = '\0';
		if (sscanf(target, "socket:[%lu]", &sockets->inodes[sockets->count]) == 1)
			sockets->count++;
	}
}

static bool has_socket(const struct sockets *sockets, unsigned long inode)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->inodes[i] == inode)
			return true;
	return false;
}

/* Adds the connections of `sockets` from a table of the kernel's (proc(5)), in the network namespace of the process. */
static void add_connections(struct way_in *way, const struct sockets *sockets, unsigned pid, const char *table)
{
	_cleanup_free_ char *path = text_format("/proc/%u/net/%s", pid, table);
	_cleanup_fclose_ FILE *stream = sockets->count ? fopen(path, "re") : NULL;
	unsigned port, state;
	unsigned long inode;
	char line[512];

	while (stream && fgets(line, sizeof(line), stream))
		if (sscanf(line, " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &port, &state, &inode) == 3 &&
		    state == 1 && has_socket(sockets, inode)) /* established */
			add_port(way, port);
}

/* ---------------------------------------------------------------------------------------------
 * Ancestors
 */

static unsigned parent_of(unsigned pid)
{
	_cleanup_free_ char *path = text_format("/proc/%u/stat", pid);
	_cleanup_fclose_ FILE *stream = fopen(path, "re");
	unsigned parent = 0;
	char line[512];

	while (stream && !parent && fgets(line, sizeof(line), stream)) {
		const char *end = strrchr(line, ')'); /* behind the name, which can hold anything */

		if (end)
			sscanf(end + 1, " %*c %u", &parent);
	}
	return parent;
}

void way_in_find(struct way_in *way)
{
	const char *own = getenv("SSH_CONNECTION");

	*way = (struct way_in){ .found = true };
	if (own)
		add_ssh_connection(way, own);
	for (unsigned pid = (unsigned)getppid(); pid > 1; pid = parent_of(pid)) {
		struct sockets sockets;

		add_environment(way, pid);
		find_sockets(&sockets, pid);
		add_connections(way, &sockets, pid, "tcp");
		add_connections(way, &sockets, pid, "tcp6");
	}
}
