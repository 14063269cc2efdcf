#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py INPUT NAME > OUTPUT.c: a file as a C array, so that the daemon needs no file beside it."""
import pathlib
import sys

data = pathlib.Path(sys.argv[1]).read_bytes()
name = sys.argv[2]
print("// SPDX-License-Identifier: Apache-2.0\n// made by embed.py")
print("#include <stddef.h>")
print(f"extern const unsigned char {name}[];\nextern const size_t {name}_len;")
print(f"const unsigned char {name}[] = {{")
for i in range(0, len(data), 20):
    print("\t" + "".join(f"{b}," for b in data[i:i + 20]))
print(f"}};\nconst size_t {name}_len = sizeof({name});")
