#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cppcheck over the three source folders. System headers are not read: what it says is about our code.
# uninitvar is left to the compilers and clang-tidy: 2.10 takes f(s.member.bytes) for a read of s.
set -eu
cd "$1"
exec cppcheck --quiet -j 2 --error-exitcode=1 --enable=warning,performance,portability \
	--std=c11 --language=c --inline-suppr --suppress=missingInclude --suppress=missingIncludeSystem \
	--suppress=uninitvar --suppress=unmatchedSuppression --suppress=normalCheckLevelMaxBranches --max-configs=4 \
	-I . -D__x86_64__ -DNAVE_VERSION='"lint"' dataplane kernel control
