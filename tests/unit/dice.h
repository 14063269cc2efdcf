/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_DICE_H
#define TESTS_UNIT_DICE_H

#include <stdint.h>

/*
 * Chance for randomised tests, the same in every run: splitmix64 from a fixed seed, so that a
 * failure comes back. One sequence a process.
 */
static uint64_t dice_state = 20261121;

static inline uint64_t dice_roll64(void)
{
	uint64_t v = dice_state += 0x9e3779b97f4a7c15ULL;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ULL;
	v = (v ^ v >> 27) * 0x94d049bb133111ebULL;
	return v ^ v >> 31;
}

static inline uint32_t dice_roll(void)
{
	return (uint32_t)(dice_roll64() >> 32);
}

#endif
