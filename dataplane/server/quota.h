/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_QUOTA_H
#define DATAPLANE_SERVER_QUOTA_H

struct instance;
struct peer;
struct route;

enum {
	QUOTA_TEXT = 80,
};

/*
 * The three quotas of routes (DECISIONS 7). p: to whom the route shall lead, NULL: to no peer;
 * old: the prefix's route, NULL: there is none, and the instance grows. 0, or -ENOSPC with words.
 */
int quota_route(const struct instance *i, const struct peer *p, const struct route *old,
	char ret_why[QUOTA_TEXT]);

#endif
