/* A proof is one message of words, the last of them its SHA-256 together with the secret of this start:
 *
 *     armlevel-proof 1 made   PROFILE VM
 *     armlevel-proof 1 runs   PROFILE VM VCPU REGISTERS
 *     armlevel-proof 1 ends   PROFILE SENTENCE
 *
 * The kernel says beside it which process sent it. Who does not have the configuration cannot make one; who has it (the
 * programs that QEMU is started through) can. The reader is gone once it knows enough: that is no error.
 */

#include "proof.h"
#include "config.h"
#include "log.h"

static int proof_fd = -1;

void open_proof(const char *place)
{
	if (!read_descriptor(place, &proof_fd))
		give_up(words("the proof that the guest is levelled cannot be sent: ", place, "; start it with armlevel run"));
}

void close_on_exec(const char *place)
{
	int fd;

	if (place && read_descriptor(place, &fd))
		sys(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

void send_proof(const char *what, const char *more)
{
	struct line message = { .size = 0 }, sealed = { .size = 0 };
	char digest[65];

	if (proof_fd < 0 || !config.secret)
		return;
	add(&message, "armlevel-proof 1 ");
	add(&message, what);
	add(&message, " ");
	add(&message, config.profile);
	add(&message, " ");
	add(&message, more);
	if (message.size > LINE - 80)
		message.size = LINE - 80;
	message.text[message.size] = 0;
	add(&sealed, config.secret);
	add(&sealed, " ");
	add(&sealed, message.text);
	sha256_of(sealed.text, sealed.size, digest);
	add(&message, " ");
	add(&message, digest);
	sys6(SYS_sendto, proof_fd, (long)message.text, (long)message.size, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
}
