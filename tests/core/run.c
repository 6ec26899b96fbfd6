// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the KUnit suites of the pure core in userspace: all, or those named on the command line.
 * Exits with 1 if an expectation failed, if a case left memory behind, or if there was no case.
 */
#include <kunit/test.h>
#include <stdlib.h>

#include "port.h"

#define SUITES_MAX	64

static struct kunit_suite *suites[SUITES_MAX];
static unsigned int n_suites;

void kunit_add(struct kunit_suite *suite)
{
	if (n_suites == SUITES_MAX)
		abort();
	suites[n_suites++] = suite;
}

static int run_case(const struct kunit_suite *suite, const struct kunit_case *c)
{
	size_t objects = rmr_memory.objects;
	struct kunit test = { 0 };

	if (!setjmp(test.end))
		c->run_case(&test);
	if (!test.failures && rmr_memory.objects != objects)
		KUNIT_FAILED(&test, "%zu objects left behind", rmr_memory.objects - objects);
	printf("%s %s.%s\n", test.failures ? "not ok" : "ok", suite->name, c->name);
	return !!test.failures;
}

static int wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc < 2;
}

int main(int argc, char **argv)
{
	unsigned int i, run = 0, failed = 0;
	const struct kunit_case *c;

	for (i = 0; i < n_suites; i++) {
		if (!wanted(suites[i]->name, argc, argv))
			continue;
		for (c = suites[i]->test_cases; c->run_case; c++, run++)
			failed += run_case(suites[i], c);
	}
	printf("%u cases, %u failed\n", run, failed);
	return failed || !run;
}
