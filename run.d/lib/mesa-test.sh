# shellcheck shell=sh
# shellcheck disable=SC2154 # mesa.sh and mesa-build.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# Test the Mesa that is built: its own unit tests of what the series touches, in the build
# root, and our OpenCL programs on what is installed, out of it. Needs mesa-build.sh,
# packages.sh and build.sh.
: "${top:?is set by ./run}"

# Mesa's suites that have tests of code the series changes.
mesa_unit_suites='compiler gallium llvmpipe nouveau'
# Ours, which need a Mesa and which ./run test therefore leaves out.
mesa_suites='rusticl nouveau'

# mesa_suite_options SUITE...
mesa_suite_options()
{
	printf -- '--suite %s ' "$@"
}

mesa_unit_compile()
{
	mesa_enter ninja -j "$(nproc)" -C "$mesa_object" meson-test-prereq
}

# mesa_run_suites WHAT LOG COMMAND...: Meson's tests; their results are added to the
# counts. Tests that Meson could not even run have not passed.
mesa_run_suites()
{
	say "testing $1"
	mesa_test_log=$2
	shift 2
	rm -f "$mesa_test_log"
	mesa_test_status=0
	"$@" </dev/null || mesa_test_status=$?
	mesa_ok=$(build_tests_counted 'OK|EXPECTEDFAIL' "$mesa_test_log")
	mesa_skip=$(build_tests_counted SKIP "$mesa_test_log")
	mesa_bad=$(($(build_tests_counted '[A-Z]+' "$mesa_test_log") - mesa_ok - mesa_skip))
	[ "$mesa_bad" -gt 0 ] || [ "$mesa_test_status" -eq 0 ] || mesa_bad=1
	mesa_passed=$((mesa_passed + mesa_ok))
	mesa_skipped=$((mesa_skipped + mesa_skip))
	mesa_failed=$((mesa_failed + mesa_bad))
}

mesa_test()
{
	mesa_build_all
	packages_install bench test
	build_normal meson-test-prereq
	mesa_passed=0
	mesa_failed=0
	mesa_skipped=0

	step "compiling Mesa's unit tests" "$mesa_logs/mesa-units.log" mesa_unit_compile ||
		mesa_fail 'compiling the unit tests' "$mesa_logs/mesa-units.log"
	# shellcheck disable=SC2046,SC2086 # options
	mesa_run_suites "Mesa's own units" "$mesa_object/meson-logs/testlog.json" \
		mesa_enter meson test -C "$mesa_object" --no-rebuild --print-errorlogs \
		$(mesa_suite_options $mesa_unit_suites)
	# shellcheck disable=SC2046,SC2086
	mesa_run_suites 'OpenCL programs on it' "$top/build/meson-logs/testlog.json" \
		meson test -C "$top/build" --no-rebuild --print-errorlogs \
		$(mesa_suite_options $mesa_suites)

	echo "tests: $mesa_passed passed, $mesa_failed failed, $mesa_skipped skipped"
	[ "$mesa_failed" -eq 0 ]
}
