#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py INPUT NAME > OUTPUT.c: a file as a C array, so that the daemon needs no file beside it."""
import pathlib
import sys

data = pathlib.Path(sys.argv[1]).read_bytes()
name = sys.argv[2]
print("// SPDX-License-Identifier: Apache-2.0\n// made by embed.py")
print("#include <stddef.h>")
print(f"extern const char {name}[];\nextern const size_t {name}_len;")
print(f"const char {name}[] = {{")
for i in range(0, len(data), 20):
    print("\t" + "".join(f"{b - 256 if b > 127 else b}," for b in data[i:i + 20]))
print(f"\t0}};\nconst size_t {name}_len = sizeof({name}) - 1; /* without the NUL */")
