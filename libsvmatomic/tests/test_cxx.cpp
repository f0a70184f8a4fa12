// SPDX-License-Identifier: MIT
//
// The header is C++, too: every call can be named, and what is called links.
#include <svmatomic-engine.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

// To take an address is to need the symbol.
static const void *const calls[] = {
	reinterpret_cast<const void *>(svma_acquire),
	reinterpret_cast<const void *>(svma_bind),
	reinterpret_cast<const void *>(svma_close),
	reinterpret_cast<const void *>(
		static_cast<int (*)(svma_device *, struct svma_counters *)>(svma_counters)),
	reinterpret_cast<const void *>(svma_driver),
	reinterpret_cast<const void *>(svma_engine_launch),
	reinterpret_cast<const void *>(svma_engine_run),
	reinterpret_cast<const void *>(svma_engine_start),
	reinterpret_cast<const void *>(svma_engine_stop),
	reinterpret_cast<const void *>(
		static_cast<int (*)(struct svma_engine *, int, struct svma_engine_status *)>(
			svma_engine_wait)),
	reinterpret_cast<const void *>(svma_explain),
	reinterpret_cast<const void *>(svma_fd),
	reinterpret_cast<const void *>(svma_get_policy),
	reinterpret_cast<const void *>(svma_open),
	reinterpret_cast<const void *>(svma_open_fd),
	reinterpret_cast<const void *>(svma_open_node),
	reinterpret_cast<const void *>(svma_query),
	reinterpret_cast<const void *>(svma_read_events),
	reinterpret_cast<const void *>(svma_release),
	reinterpret_cast<const void *>(svma_set_policy),
	reinterpret_cast<const void *>(svma_strcause),
	reinterpret_cast<const void *>(svma_strreason),
	reinterpret_cast<const void *>(svma_subscribe),
	reinterpret_cast<const void *>(svma_survey),
	reinterpret_cast<const void *>(svma_version),
};

int main()
{
	struct svma_device *device = nullptr;
	struct svma_counters counters = {};
	struct svma_outcome outcome = {};

	for (const void *call : calls)
		if (!call)
			return 1;
	if (svma_open_node(&device, "/dev/null") != -ENOTTY || device)
		return 1;
	if (counters.acquired || outcome.pages || std::strlen(svma_strreason(SVMA_REASON_FILE)) < 5)
		return 1;
	std::printf("%zu calls\n", sizeof(calls) / sizeof(*calls));
	return 0;
}
