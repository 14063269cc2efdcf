// SPDX-License-Identifier: Apache-2.0
/* nave peers capture: has the hub capture a peer's packets, waits, and fetches the file. */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"
#include "control/cli/out_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct option_rule peers_capture_options[] = {
	{"out", "FILE", true, false, "where the packets go: a new file that only you can read"},
	{"side", "inner|outer", false, false,
		"inner: as they are in the tunnel, the default; outer: encrypted, on the wire"},
	{"seconds", "SECONDS", false, false, "how long; else 30"},
	{"max-bytes", "BYTES", false, false, "how big the file may get; else 524288"},
	{0},
};

static void nap(void)
{
	static const struct timespec half_a_second = {.tv_nsec = 500000000};
	(void)nanosleep(&half_a_second, NULL);
}

/* How far it is, for people who wait. */
static void show_progress(const json_t *capture, unsigned int halves)
{
	if (isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "\rcapturing, %u of %lld s ", halves / 2,
			(long long)json_integer_value(json_object_get(capture, "seconds")));
}

static enum exit_code complain_failed(const json_t *capture)
{
	const char *reason = json_string_value(json_object_get(capture, "reason"));
	(void)fprintf(stderr, "nave: the capture failed: ");
	text_print(stderr, reason != NULL ? reason : "the hub gave no reason");
	(void)fprintf(stderr, "\n");
	return EXIT_CODE_FAILED;
}

/* Until the hub has sent it, or nave-control says that it never will. */
static enum exit_code wait_for_end(struct cli *cli, const char *path)
{
	for (unsigned int halves = 0;; halves++) {
		struct answer a;
		enum exit_code code = client_call(cli->client, "GET", path, NULL, NULL, &a);
		if (code != EXIT_CODE_OK)
			return code;
		const char *state = json_string_value(json_object_get(a.json, "state"));
		bool ended = state == NULL || strcmp(state, "requested") != 0;
		if (!ended)
			show_progress(a.json, halves);
		else if (state == NULL || strcmp(state, "done") != 0)
			code = complain_failed(a.json);
		answer_fini(&a);
		if (ended)
			return code;
		nap();
	}
}

static enum exit_code fetch(struct cli *cli, const char *path, const struct out_file *out)
{
	struct answer a;
	char *file;
	if (asprintf(&file, "%s/file", path) < 0)
		return EXIT_CODE_FAILED;
	enum exit_code code = client_call(cli->client, "GET", file, NULL, NULL, &a);
	free(file);
	if (code != EXIT_CODE_OK)
		return code;
	code = out_file_write(out, a.text, a.len);
	if (code == EXIT_CODE_OK)
		(void)fprintf(stderr, "%s%s: %zu bytes of pcapng, for tcpdump -r or Wireshark\n",
			isatty(STDERR_FILENO) == 1 ? "\r" : "", out->path, a.len);
	answer_fini(&a);
	return code;
}

/* path: the peer's. "PATH/captures/ID" of the one that was made, to be freed. */
static enum exit_code create(struct cli *cli, const char *path, char **ret)
{
	struct answer a;
	char *list;
	json_t *body = json_object();
	noun_put_text(cli, body, "side", "side");
	bool good = noun_put_number(cli, body, "seconds", "seconds")
		&& noun_put_number(cli, body, "max-bytes", "max_bytes");
	if (!good || asprintf(&list, "%s/captures", path) < 0) {
		json_decref(body);
		return good ? EXIT_CODE_FAILED : EXIT_CODE_USAGE;
	}
	enum exit_code code = client_call(cli->client, "POST", list, body, NULL, &a);
	json_decref(body);
	if (code == EXIT_CODE_OK) {
		const char *id = json_string_value(json_object_get(a.json, "id"));
		if (id == NULL || asprintf(ret, "%s/%s", list, id) < 0)
			code = EXIT_CODE_FAILED;
		answer_fini(&a);
	}
	free(list);
	return code;
}

static enum exit_code capture(struct cli *cli, const char *path)
{
	struct out_file out;
	struct answer a;
	char *made = NULL;
	enum exit_code code = out_file_create(&out, argument(&cli->args, "out"));
	if (code != EXIT_CODE_OK)
		return code;
	code = create(cli, path, &made);
	if (code == EXIT_CODE_OK) {
		code = wait_for_end(cli, made);
		if (code == EXIT_CODE_OK)
			code = fetch(cli, made, &out);
		/* nobody else needs it any more */
		if (client_call(cli->client, "DELETE", made, NULL, NULL, &a) == EXIT_CODE_OK)
			answer_fini(&a);
	}
	free(made);
	return out_file_end(&out, code);
}

enum exit_code peers_capture(struct cli *cli)
{
	return peers_with_one(cli, capture);
}
