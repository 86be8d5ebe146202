# Tests. Included by the Makefile.

UNIT := $(basename $(notdir $(wildcard tests/unit/*.c)))
# What of enforce/ knows no kernel.
PURE := enforce/base/escape.c enforce/base/first_line.c enforce/base/items.c enforce/base/output.c enforce/base/paint.c \
	enforce/base/prefix.c enforce/base/replace.c enforce/base/status.c enforce/base/text_table.c enforce/base/when.c \
	enforce/change/accept_call.c enforce/kernel/family.c enforce/kernel/listener.c enforce/kernel/load_error.c \
	enforce/records/checkpoint.c enforce/records/event.c enforce/records/event_columns.c enforce/records/event_print.c \
	enforce/records/filter.c enforce/records/log_files.c enforce/records/log_line.c enforce/records/log_names.c \
	enforce/records/log_read.c enforce/records/log_rotate.c enforce/records/log_seek.c enforce/records/log_target.c \
	enforce/records/log_unpack.c enforce/records/log_write.c enforce/records/metrics_labels.c enforce/records/needles.c \
	enforce/records/spinning.c enforce/records/sums.c
UNIT_OBJECTS := $(patsubst %.c,$(B)/%.o,$(POLICY) $(PURE))
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
GUEST_PROGRAMS := $(patsubst tests/guest/%.c,$(B)/tests/guest/%,$(filter-out %/preload.c %.bpf.c,$(wildcard tests/guest/*.c))) \
	$(B)/tests/guest/preload.so $(patsubst %.c,$(B)/%.o,$(wildcard tests/guest/*.bpf.c))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))

# --- unit -------------------------------------------------------------------------------------

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(UNIT_OBJECTS)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@

# The same sources once more, with the sanitizers in.
SANITIZED_OBJECTS := $(patsubst %.c,$(B)/sanitized/%.o,$(POLICY) $(PURE))
$(B)/sanitized/%.o: %.c | $(B)/.made
	$(Q)mkdir -p $(@D)
	$(call say,ASAN)$(CC) $(CPPFLAGS) $(filter-out -O2,$(CFLAGS)) -O1 $(SANITIZE) -MMD -MP -c $< -o $@

$(B)/sanitized/%: $(B)/sanitized/tests/unit/%.o $(SANITIZED_OBJECTS)
	$(call say,LINK)$(CC) $(CFLAGS) $(SANITIZE) $^ $(LIBS) -lcmocka -o $@

# --- guest ------------------------------------------------------------------------------------

$(B)/tests/guest/%: tests/guest/%.c tests/guest/loopback.h | $(B)/.made
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -pthread -Wl,--as-needed $< -luring -lbpf -o $@

$(B)/tests/guest/%.bpf.o: tests/guest/%.bpf.c | $(B)/.made
	$(call say,CLANG)$(CLANG) -g -O2 $(WARNINGS) -Wno-missing-prototypes -target bpf -mcpu=v3 -I/usr/include/$(MULTIARCH) -c $< -o $@

# Another version, with other maps, which this one has to take over from.
$(B)/older/build/sockaccept-ctl: $(B)/sockaccept-ctl
	$(call say,OLDER)rm -rf $(B)/older && mkdir -p $(B)/older && cp -r Makefile LICENSE bpf policy enforce man tests $(B)/older/
	$(Q)sed -i -e 's/^#define SOCKACCEPT_LAYOUT .*/#define SOCKACCEPT_LAYOUT 1/' -e 's/__u64 next_superblock;/__u64 older[4]; &/' \
		-e 's/sizeof(struct \(control\|state\)) == [0-9]*/sizeof(struct \1) > 0/' $(B)/older/bpf/shared/*.h
	$(Q)$(MAKE) -s --no-print-directory -C $(B)/older all B=build VERSION=0.0.1 say=

# Its package.
$(B)/older.deb: $(B)/older/build/sockaccept-ctl
	$(call say,DEB)$(MAKE) -s --no-print-directory -C $(B)/older deb B=build VERSION=0.0.1 say= >$(B)/older/deb.log 2>&1 && \
		cp $(B)/older/build/deb/sockaccept_0.0.1_*.deb $@

# Started so often that a dynamic linker would take most of the time.
$(B)/tests/guest/upgrade: tests/guest/upgrade.c | $(B)/.made
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -static $< -o $@

$(B)/tests/guest/preload.so: tests/guest/preload.c | $(B)/.made
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared $< -o $@

# Without libraries, whose loading would take most of the time.
$(B)/tests/bench/process: tests/bench/process.c tests/bench/ticks.h | $(B)/.made
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -static $< -o $@

$(B)/tests/bench/verifier: tests/bench/verifier.c | $(B)/.made
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $< -lbpf -o $@

$(B)/tests/bench/%: tests/bench/%.c tests/bench/ticks.h | $(B)/.made
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $< -o $@

$(B)/tests/bench/events.bpf.o: tests/bench/events.bpf.c | $(B)/.made
	$(call say,CLANG)$(CLANG) -g -O2 $(WARNINGS) -Wno-unused-parameter -Wno-missing-prototypes -Wno-shadow -target bpf \
		-mcpu=v3 -D__TARGET_ARCH_$(ARCH) -I. -Ibpf -I/usr/include/$(MULTIARCH) -c $< -o $@

$(B)/tests/bench/events.skel.h: $(B)/tests/bench/events.bpf.o
	$(call say,SKEL)$(BPFTOOL) gen skeleton $< name events_bpf >$@

# It runs the daemon's own code.
$(B)/tests/bench/log_rate: tests/bench/log_rate.c $(B)/tests/bench/events.skel.h $(filter-out $(B)/enforce/main.o,$(OBJECTS))
	$(call say,CC)$(CC) $(CPPFLAGS) -I$(B)/tests/bench $(CFLAGS) $(LDFLAGS) $(filter-out %.h,$^) $(LIBS) -o $@

$(B)/tests/bench/log_week: tests/bench/log_week.c $(filter-out $(B)/enforce/main.o,$(OBJECTS))
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# --- fuzz -------------------------------------------------------------------------------------

$(B)/fuzz_policy: tests/fuzz/fuzz_policy.c $(POLICY) | $(B)/.made
	$(call say,FUZZ)$(CLANG) $(CPPFLAGS) $(filter-out -O2,$(CFLAGS)) -O1 $(SANITIZE) -fsanitize=fuzzer $^ \
		$(LIBS) -o $@

.PHONY: test-programs
test-programs: all $(addprefix $(B)/tests/unit/,$(UNIT)) $(addprefix $(B)/sanitized/,$(UNIT)) $(GUEST_PROGRAMS) \
	$(B)/fuzz_policy $(B)/older.deb

# --- entry points -----------------------------------------------------------------------------

test:
	$(Q)tests/packages.sh test
	$(Q)$(MAKE) -s --no-print-directory -j$(shell nproc) all $(addprefix $(B)/sanitized/,$(UNIT)) $(GUEST_PROGRAMS)
	$(Q)tests/test.sh $(T)

lint:
	$(Q)tests/packages.sh lint
	$(Q)$(MAKE) -s --no-print-directory all
	$(Q)tests/lint.sh $(T)

format:
	$(Q)tests/packages.sh lint
	$(Q)tests/lint.sh --format

guest:
	$(Q)tests/packages.sh guest
	$(Q)$(MAKE) -s --no-print-directory all $(GUEST_PROGRAMS)
	$(Q)tests/guest/run --kernel $${KERNEL:-6.1} --terminal --timeout 86400 --env "TERM=$$TERM" \
		--env "LINES=$$(stty size | cut -d' ' -f1)" --env "COLUMNS=$$(stty size | cut -d' ' -f2)" tests/guest/shell.sh

verifier:
	$(Q)tests/packages.sh guest
	$(Q)$(MAKE) -s --no-print-directory all $(B)/tests/bench/verifier
	$(Q)for kernel in $(KERNELS); do tests/guest/run --kernel $$kernel --by-turns $(B)/tests/bench/verifier $(B)/sockaccept.bpf.o $(B)/guard.bpf.o || exit; done

check:
	$(Q)tests/packages.sh check
	$(Q)$(MAKE) -s --no-print-directory -j$(shell nproc) test-programs WERROR=-Werror
	$(Q)KERNELS="$(KERNELS)" FUZZ_SECONDS="$(FUZZ_SECONDS)" tests/check.sh

demo:
	$(Q)tests/packages.sh guest
	$(Q)$(MAKE) -s --no-print-directory all
	$(Q)tests/demo.sh

bench:
	$(Q)tests/packages.sh guest
	$(Q)$(MAKE) -s --no-print-directory all $(BENCH_PROGRAMS)
	$(Q)tests/bench/bench.sh $(KERNELS)

# The parts of `check` whose worth grows with time, again and again.
soak:
	$(Q)tests/packages.sh check
	$(Q)$(MAKE) -s --no-print-directory test-programs
	$(Q)tests/soak.sh $(KERNELS)

fuzz:
	$(Q)tests/packages.sh check
	$(Q)$(MAKE) -s --no-print-directory $(B)/fuzz_policy
	$(Q)tests/fuzz/fuzz.sh $(FUZZ_SECONDS)
