/* SPDX-License-Identifier: MIT */
/*
 * Every value has words, those that are known have words of their own, and the version
 * is one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <svm_atomic.h>
#include <svmatomic.h>

/* Whether @text is the first of @texts that says so; then it is kept there. */
static void assert_new(const char *texts[], size_t *count, const char *text)
{
	assert_non_null(text);
	assert_true(strlen(text) > 5);
	assert_null(strstr(text, "does not know"));
	for (size_t i = 0; i < *count; i++)
		assert_string_not_equal(texts[i], text);
	texts[(*count)++] = text;
}

static void test_reasons(void **state)
{
	const char *texts[64];
	size_t count = 0;

	(void)state;
	for (uint32_t i = DRM_SVM_ATOMIC_OK; i <= DRM_SVM_ATOMIC_HARDWARE; i++)
		assert_new(texts, &count, svma_strreason(i));
	for (uint32_t i = SVMA_REASON_NO_NODES; i < SVMA_REASON_UNKNOWN; i++)
		assert_new(texts, &count, svma_strreason(i));
	for (uint32_t i = SVMA_REASON_NO_ENGINE; i <= SVMA_REASON_ROLE; i++)
		assert_new(texts, &count, svma_strreason(i));
	assert_int_equal(count, 18 + 9 + 6);
}

static void test_causes(void **state)
{
	const char *texts[8];
	size_t count = 0;

	(void)state;
	for (uint32_t i = 0; i < DRM_SVM_ATOMIC_CAUSES; i++)
		assert_new(texts, &count, svma_strcause(i));
	assert_int_equal(count, 5);
}

static void test_unknown(void **state)
{
	const uint32_t odd[] = { 18,	31,	    32,		0xff,	   SVMA_REASON_UNKNOWN,
				 0x110, 0x7fffffff, 0x80000000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		assert_non_null(strstr(svma_strreason(odd[i]), "reason"));
		assert_non_null(strstr(svma_strreason(odd[i]), "does not know"));
		assert_non_null(strstr(svma_strcause(odd[i]), "cause"));
		assert_non_null(strstr(svma_strcause(odd[i]), "does not know"));
	}
	assert_non_null(strstr(svma_strcause(DRM_SVM_ATOMIC_CAUSES), "does not know"));
	assert_non_null(strstr(svma_strcause(SVMA_BY_UNKNOWN), "does not know"));
}

/* The header, the library and what is packaged are of one version. */
static void test_version(void **state)
{
	(void)state;
	assert_string_equal(svma_version(), VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
