/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.pml - the read lease with a clock (docs/protocol.md R2.9, R2.10): why views.pml may say "after the wait no old answer counts".
 *
 * Old client A, new client B, three voters; member 0 is out of B's reach and still serves A.  A sends keepalives; a keepalive is
 * answered when it was sent (one that arrives later gives a shorter lease), the answer may be delayed as long as it likes.  B collects promises of voters 1 and 2 and waits.  All clocks run alike (drift is
 * a margin on the wait, R2.10).  No read of A may complete once B is live.
 *
 * Mutants: M_LEASERECV (lease counted from the arrival of the answer), M_LEASEISSUE (checked when the read is sent, not when its
 * answer is handed up), M_LEASEONE (one voter is enough), M_WAITFIRST (wait counted from the first question), M_WAITSHORT (one tick less).
 */
#ifndef T
#define T 2
#endif
#define MAXT (2*T+3)
byte now;
byte at[3], le[3];		/* answer on its way (sending time of the keepalive + 1); end of the lease by this voter */
bit fenced[3];			/* promised B */
byte wait_end, asked;
bool b_live, reading, sampled;
bool ok_at_issue;
hidden byte I2_superseded_read;	/* always 0: name in assertions */

#define VALID(i) (le[i]>now)
#ifdef M_LEASEONE
#define LEASE (VALID(0) || VALID(1) || VALID(2))
#else
#define LEASE (VALID(0)+VALID(1)+VALID(2) >= 2)
#endif
#ifdef M_LEASEISSUE
#define MAYEND ok_at_issue
#else
#define MAYEND LEASE
#endif
#ifdef M_LEASERECV
#define FROM(i) now
#else
#define FROM(i) (at[i]-1)
#endif
#ifdef M_WAITSHORT
#define WAIT (T-1)
#else
#define WAIT T
#endif

#define EXPIRE(i) if :: le[i]<=now -> le[i]=0 :: else fi	/* same states are one */
#define VOTER(i) \
	:: d_step { at[i]==0 && !fenced[i] -> at[i]=now+1; printf("EV t%d voter %d answers a keepalive of A\n",now,i) } \
	:: d_step { at[i]!=0 -> le[i]=FROM(i)+T; at[i]=0; EXPIRE(i); printf("EV t%d A has the answer of %d: valid until %d\n",now,i,le[i]) }
#define PROMISE(i) \
	:: d_step { !fenced[i] && wait_end==0 -> if :: asked==0 -> asked=now+1 :: else fi; fenced[i]=1; printf("EV t%d %d promises B\n",now,i) }

active proctype all()
{
	do
	:: d_step { now<MAXT -> now++; EXPIRE(0); EXPIRE(1); EXPIRE(2) }
	VOTER(0)
	VOTER(1)
	VOTER(2)
	PROMISE(1)
	PROMISE(2)
	:: d_step { fenced[1] && fenced[2] && wait_end==0 ->
#ifdef M_WAITFIRST
		wait_end=asked-1+WAIT;
#else
		wait_end=now+WAIT;
#endif
		printf("EV t%d B waits until %d\n",now,wait_end) }
	:: d_step { wait_end!=0 && now>=wait_end && !b_live -> b_live=1; printf("EV t%d B is live\n",now) }
	:: d_step { !reading && LEASE -> reading=1; sampled=0; ok_at_issue=1; printf("EV t%d A sends a read to 0\n",now) }
	:: d_step { reading && !sampled && !fenced[0] -> sampled=1 }
	:: d_step { reading && sampled && MAYEND -> reading=0; sampled=0; ok_at_issue=0; printf("EV t%d A hands the read up\n",now); assert(!b_live || I2_superseded_read) }
	:: d_step { reading -> reading=0; sampled=0; ok_at_issue=0 }
	od
}
