// SPDX-License-Identifier: Apache-2.0
/*
 * Each line is whoever's key for a day. A file of an earlier run is taken on: it must be ours alone, and
 * begin with our titles. A last line without its end is what a kill has left: it is cut off, and made
 * again under the same Idempotency-Key, which gives the same link.
 */
#include "control/cli/link_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char titles[] = "name,user,email,url,expires_at\n";

static enum exit_code complain(const struct link_file *f, const char *why)
{
	(void)fprintf(stderr, "nave: %s: %s\n", f->path, why);
	return EXIT_CODE_FAILED;
}

static enum exit_code check_owner(const struct link_file *f, int fd, off_t *ret_size)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return complain(f, strerrordesc_np(errno));
	*ret_size = st.st_size;
	if (!S_ISREG(st.st_mode))
		return complain(f, "is no file");
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return complain(f, "others may read it: chmod 600, or another file");
	return st.st_size <= CSV_BYTES_MAX ? EXIT_CODE_OK : complain(f, "is too large");
}

/* To be freed; NULL after a message. */
static char *read_whole(const struct link_file *f, int fd, size_t size)
{
	char *text = calloc(1, size + 1);
	if (text != NULL && pread(fd, text, size, 0) == (ssize_t)size)
		return text;
	(void)complain(f, "cannot be read");
	free(text);
	return NULL;
}

static enum exit_code go_on(struct link_file *f, int fd, size_t size)
{
	struct csv csv;
	char *text = read_whole(f, fd, size);
	if (text == NULL)
		return EXIT_CODE_FAILED;
	size_t head = size < sizeof(titles) - 1 ? size : sizeof(titles) - 1;
	const char *last = memrchr(text, '\n', size);
	size_t len = last != NULL ? (size_t)(last - text) + 1 : 0;
	if (memcmp(text, titles, head) != 0) {
		free(text);
		return complain(f, "is there already, and is no file of share links");
	}
	text[len] = '\0';
	if (!csv_parse(text, len, f->path, &csv))
		return EXIT_CODE_FAILED;
	for (size_t i = 1; i < csv.count; i++)
		(void)json_object_set_new(f->names, csv.rows[i].cell[0], json_true());
	csv_free(&csv);
	return ftruncate(fd, (off_t)len) == 0 ? EXIT_CODE_OK : complain(f, strerrordesc_np(errno));
}

static enum exit_code flush(const struct link_file *f)
{
	if (fflush(f->stream) != 0 || fdatasync(fileno(f->stream)) != 0)
		return complain(f, strerrordesc_np(errno));
	return EXIT_CODE_OK;
}

enum exit_code link_file_open(struct link_file *f, const char *path)
{
	off_t size = 0;
	*f = (struct link_file){.path = path, .names = json_object()};
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return complain(f, strerrordesc_np(errno));
	enum exit_code code = check_owner(f, fd, &size);
	if (code == EXIT_CODE_OK && size > 0)
		code = go_on(f, fd, (size_t)size);
	if (code == EXIT_CODE_OK)
		f->stream = fdopen(fd, "ae");
	if (f->stream == NULL) {
		(void)close(fd);
		return code == EXIT_CODE_OK ? complain(f, strerrordesc_np(errno)) : code;
	}
	if (lseek(fd, 0, SEEK_END) == 0)
		(void)fputs(titles, f->stream);
	return flush(f);
}

bool link_file_has(const struct link_file *f, const char *name)
{
	return json_object_get(f->names, name) != NULL;
}

enum exit_code link_file_add(struct link_file *f, const struct person *one, const json_t *link)
{
	const char *url = json_string_value(json_object_get(link, "url"));
	const char *expires_at = json_string_value(json_object_get(link, "expires_at"));
	const char *cells[] = {one->name, one->user, one->email, url, expires_at};
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		if (i > 0)
			(void)fputc(',', f->stream);
		csv_print_cell(f->stream, cells[i] != NULL ? cells[i] : "");
	}
	(void)fputc('\n', f->stream);
	(void)json_object_set_new(f->names, one->name, json_true());
	return flush(f);
}

void link_file_close(struct link_file *f)
{
	if (f->stream != NULL)
		(void)fclose(f->stream);
	json_decref(f->names);
	memset(f, 0, sizeof(*f));
}
