# Everything starts here. On a fresh Debian machine `make demo` and `make check` do all the set-up.
#
#   make                builds build/sockaccept-ctl
#   make demo           installs what is missing, builds, and shows it at work on a real kernel
#   make test           unit tests with the sanitizers, and one guest's essentials: two minutes (T=NAME: one test, or one file of them)
#   make lint           what can be said of the code without running it
#   make format         clang-format and shfmt, in place
#   make guest          a shell in a throwaway guest, with the program built and a policy loaded (KERNEL=7: of another kernel)
#   make verifier       what the kernels' verifiers say of each program: instructions, states, stack
#   make check          everything that CI runs (KERNELS="6.1 6.12 7" chooses the guests' kernels; 6.1 and 7 bring their
#                       real-time kernels with them)
#   make bench          what an accept() costs, in guest instructions, and how fast the log is written and read
#   make soak fuzz      longer runs of what `check` does in short
#   make install uninstall   honour DESTDIR and PREFIX
#   make deb            a Debian package, into build/deb
#
# V=1 shows the commands.

PREFIX ?= /usr/local
KERNELS ?= 6.1 6.12 7
FUZZ_SECONDS ?= 20

CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config

B := build
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(patsubst $(B)/%,%,$@);)

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
MULTIARCH := $(shell uname -m)-linux-gnu
VERSION := 0.1

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
WERROR ?= $(if $(CI),-Werror)
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS ?= -O2 -g
LIBS = $(shell $(PKG_CONFIG) --libs libbpf libcap inih jansson zlib 2>/dev/null || echo -lbpf -lcap -linih -ljansson -lz)
override CPPFLAGS += -I. -I$(B) -D_GNU_SOURCE -DSOCKACCEPT_VERSION='"$(VERSION)"'
override CFLAGS += -std=gnu11 $(WARNINGS) $(WERROR)
LDFLAGS ?= -pie -Wl,-z,relro,-z,now

POLICY := $(wildcard policy/*.c)
ENFORCE := $(wildcard enforce/*.c enforce/*/*.c)
OBJECTS := $(patsubst %.c,$(B)/%.o,$(POLICY) $(ENFORCE))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo test lint format guest verifier check soak bench fuzz install uninstall deb clean

all: $(B)/sockaccept-ctl

$(B)/%.bpf.o: bpf/%.bpf.c | $(B)/.made
	$(call say,CLANG)$(CLANG) -g -O2 $(WARNINGS) -Wno-unused-parameter -Wno-missing-prototypes -Wno-shadow $(WERROR) \
		-target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -I/usr/include/$(MULTIARCH) -MMD -MP -c $< -o $@

$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

$(B)/%.o: %.c | $(B)/.made
	$(Q)mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDEN) -MMD -MP -c $< -o $@

$(B)/enforce/kernel/attach.o $(B)/enforce/kernel/load.o: $(B)/sockaccept.skel.h
$(B)/enforce/change/guard.o $(B)/enforce/change/guard_mount.o: $(B)/guard.skel.h
$(B)/enforce/kernel/attached.o: $(B)/attached.skel.h

$(B)/sockaccept-ctl: $(OBJECTS)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(B)/.made:
	$(Q)mkdir -p $(B)/tests/guest $(B)/tests/bench
	$(Q)touch $@

-include $(wildcard $(B)/*.d $(B)/*/*.d $(B)/*/*/*.d $(B)/*/*/*/*.d)

include tests/tests.mk

# --- install ----------------------------------------------------------------------------------

# What belongs where, from files that name the directory of the program.
UNITS := sockaccept.service sockaccept-audit.service sockaccept-drain.service sockaccept-refresh.service sockaccept-refresh-remote.service \
	sockaccept-last-good.service
UNITDIR ?= $(if $(filter /usr,$(PREFIX)),/lib,$(PREFIX)/lib)/systemd/system
MANUALS := man8/sockaccept-ctl.8 man5/sockaccept.ini.5 man7/sockaccept.7
place = $(Q)mkdir -p $(DESTDIR)$(dir $(2)); sed 's|@sbindir@|$(PREFIX)/sbin|g' enforce/boot/$(1) >$(DESTDIR)$(2); \
	chmod 0644 $(DESTDIR)$(2)

install: all
	$(Q)install -D -m 0755 $(B)/sockaccept-ctl $(DESTDIR)$(PREFIX)/sbin/sockaccept-ctl
	$(Q)for page in $(MANUALS); do \
		install -D -m 0644 man/$${page#*/} $(DESTDIR)$(PREFIX)/share/man/$$page || exit 1; done
	$(Q)mkdir -p $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(Q)$(B)/sockaccept-ctl help --completion >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sockaccept-ctl
	$(call place,sockaccept.service,$(UNITDIR)/sockaccept.service)
	$(call place,sockaccept-audit.service,$(UNITDIR)/sockaccept-audit.service)
	$(call place,sockaccept-drain.service,$(UNITDIR)/sockaccept-drain.service)
	$(call place,sockaccept-refresh.service,$(UNITDIR)/sockaccept-refresh.service)
	$(call place,sockaccept-refresh-remote.service,$(UNITDIR)/sockaccept-refresh-remote.service)
	$(call place,sockaccept-last-good.service,$(UNITDIR)/sockaccept-last-good.service)
	$(call place,sockaccept.tmpfiles,$(PREFIX)/lib/tmpfiles.d/sockaccept.conf)
	$(call place,sockaccept.apt,/etc/apt/apt.conf.d/80sockaccept)
	$(Q)install -d -m 0755 $(DESTDIR)/etc/sockaccept $(DESTDIR)/etc/sockaccept/policy.d
	$(Q)[ -e $(DESTDIR)/etc/sockaccept/policy.ini ] || \
		install -m 0644 enforce/boot/policy.ini $(DESTDIR)/etc/sockaccept/policy.ini

# The policy stays, and what is in force does too: `sockaccept-ctl unload` comes before, if it shall not.
uninstall:
	$(Q)rm -f $(DESTDIR)$(PREFIX)/sbin/sockaccept-ctl $(addprefix $(DESTDIR)$(PREFIX)/share/man/,$(MANUALS)) \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sockaccept-ctl \
		$(addprefix $(DESTDIR)$(UNITDIR)/,$(UNITS)) $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/sockaccept.conf \
		$(DESTDIR)/etc/apt/apt.conf.d/80sockaccept

deb: all
	$(Q)enforce/boot/make_deb.sh $(VERSION) $(B)/deb

clean:
	$(Q)rm -rf $(B)
