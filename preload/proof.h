/* Telling armlevel run what became of its guest, so that it need not believe that all went well. */

#ifndef ARMLEVEL_PROOF_H
#define ARMLEVEL_PROOF_H

#include "base.h"

/* The socket that was inherited, named by ARMLEVEL_PROOF. */
void open_proof(const char *place);
void close_on_exec(const char *place);

/* Say `what` with its words, under the secret of this start; nothing happens where nobody asked for it. */
void send_proof(const char *what, const char *more);

#endif
