/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of KUnit that the suites of kmod/rmr/core use, for userspace. A suite registers itself
 * before main() of tests/core/run.c starts; assertions end a case, expectations do not.
 */
#ifndef RMR_SHIM_KUNIT_TEST_H
#define RMR_SHIM_KUNIT_TEST_H

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct kunit {
	int	failures;
	jmp_buf	end;
};

struct kunit_case {
	void	(*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(f)	{ .run_case = f, .name = #f }

void kunit_add(struct kunit_suite *suite);

#define kunit_test_suite(s) \
	static void __attribute__((constructor)) kunit_register(void) { kunit_add(&(s)); }

#define KUNIT_FAILED(test, fmt, ...) do { \
	(test)->failures++; \
	fprintf(stderr, "%s:%d: " fmt "\n", __FILE__, __LINE__, __VA_ARGS__); \
} while (0)

#define KUNIT_COMPARE(test, a, op, b, fmt, ...) do { \
	long long kunit_a = (long long)(a), kunit_b = (long long)(b); \
	if (!(kunit_a op kunit_b)) \
		KUNIT_FAILED(test, "want %s " #op " %s, have %lld and %lld " fmt, #a, #b, \
			     kunit_a, kunit_b, __VA_ARGS__); \
} while (0)

#define KUNIT_EXPECT_EQ(test, a, b)	KUNIT_COMPARE(test, a, ==, b, "%s", "")
#define KUNIT_EXPECT_NE(test, a, b)	KUNIT_COMPARE(test, a, !=, b, "%s", "")
#define KUNIT_EXPECT_LT(test, a, b)	KUNIT_COMPARE(test, a, <, b, "%s", "")
#define KUNIT_EXPECT_LE(test, a, b)	KUNIT_COMPARE(test, a, <=, b, "%s", "")
#define KUNIT_EXPECT_GT(test, a, b)	KUNIT_COMPARE(test, a, >, b, "%s", "")
#define KUNIT_EXPECT_GE(test, a, b)	KUNIT_COMPARE(test, a, >=, b, "%s", "")
#define KUNIT_EXPECT_TRUE(test, a)	KUNIT_COMPARE(test, !!(a), ==, 1, "%s", "")
#define KUNIT_EXPECT_FALSE(test, a)	KUNIT_COMPARE(test, !!(a), ==, 0, "%s", "")
#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)	KUNIT_COMPARE(test, a, ==, b, __VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(test, a, b, ...)	KUNIT_COMPARE(test, a, !=, b, __VA_ARGS__)
#define KUNIT_EXPECT_TRUE_MSG(test, a, ...)	KUNIT_COMPARE(test, !!(a), ==, 1, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(test, a, ...)	KUNIT_COMPARE(test, !!(a), ==, 0, __VA_ARGS__)

#define KUNIT_EXPECT_STREQ_MSG(test, a, b, fmt, ...) do { \
	const char *kunit_sa = (a), *kunit_sb = (b); \
	if (!kunit_sa || !kunit_sb || strcmp(kunit_sa, kunit_sb)) \
		KUNIT_FAILED(test, "want %s == %s, have \"%s\" and \"%s\" " fmt, #a, #b, \
			     kunit_sa ? kunit_sa : "(null)", kunit_sb ? kunit_sb : "(null)", \
			     __VA_ARGS__); \
} while (0)
#define KUNIT_EXPECT_STREQ(test, a, b)	KUNIT_EXPECT_STREQ_MSG(test, a, b, "%s", "")

#define KUNIT_EXPECT_MEMEQ(test, a, b, n)	KUNIT_EXPECT_EQ(test, memcmp(a, b, n), 0)
#define KUNIT_FAIL(test, ...)	KUNIT_FAILED(test, __VA_ARGS__)

#define KUNIT_ASSERT_DO(test, check) do { \
	int kunit_before = (test)->failures; \
	check; \
	if ((test)->failures != kunit_before) \
		longjmp((test)->end, 1); \
} while (0)
#define KUNIT_ASSERT_EQ(test, a, b)	KUNIT_ASSERT_DO(test, KUNIT_EXPECT_EQ(test, a, b))
#define KUNIT_ASSERT_NE(test, a, b)	KUNIT_ASSERT_DO(test, KUNIT_EXPECT_NE(test, a, b))
#define KUNIT_ASSERT_TRUE(test, a)	KUNIT_ASSERT_DO(test, KUNIT_EXPECT_TRUE(test, a))
#define KUNIT_ASSERT_FALSE(test, a)	KUNIT_ASSERT_DO(test, KUNIT_EXPECT_FALSE(test, a))
#define KUNIT_ASSERT_NOT_NULL(test, a)	KUNIT_ASSERT_DO(test, KUNIT_EXPECT_TRUE(test, a))

#endif /* RMR_SHIM_KUNIT_TEST_H */
