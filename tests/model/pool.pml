/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.pml - the write path and everything that repairs it (docs/protocol.md sections 3 to 6): write, MISSED, eject, MARK,
 * return, map pull, overlay, resync copy, CLEAR, promotion, intents, lists, volatile caches, client crash, attach, reconcile.
 *
 * One chunk of NB blocks on NM members (2 or 3) and WIT witnesses; one client alive at a time (clients that live on after they
 * were superseded: views.pml), one write in flight at a time (several: overlap.pml, hold.pml).  A d_step is one message handled by one node.
 * Values are numbers that grow with each write, so "not older" is ">=".  View numbers grow over all epochs: that is the order
 * (epoch, number) of R2.1, because the dead client makes no more views.  Messages of a dead client and CLEARs stay in their
 * slots as long as they like.  Every action is enabled only if it changes something, so that `timeout` means: stuck.
 *
 * Bounds: MAXW writes, MAXM MISSED answers, MAXL links lost without reason, MAXF member crashes, MAXC client crashes.
 * POWER: a member crash loses its unflushed data (else only the process restarts).  QUORUM: majority of voters.  INITY: member 1
 * starts in Y, dirty.  INITYY: members 1 and 2 start in Y, 1 clean, 2 dirty.  Masks: bit m is member m; bit NM is the witness.
 *
 * Rules that can be taken away (-DN_x removes F_x) and mutants (-DM_x) are named where they act; docs/protocol.md lists them.
 */
#ifndef NM
#define NM 2
#endif
#ifndef WIT
#define WIT 0
#endif
#ifndef NB
#define NB 1
#endif
#ifndef MAXW
#define MAXW 2
#endif
#ifndef MAXM
#define MAXM 0
#endif
#ifndef MAXL
#define MAXL 1
#endif
#ifndef MAXF
#define MAXF 1
#endif
#ifndef MAXC
#define MAXC 1
#endif
#define MAXN 40	/* never reached: the fault budgets bound the views */
#define NN (NM+WIT)
#define ALL ((1<<NM)-1)
#define B(m) (1<<(m))
#define IN(m,s) (((s)>>(m))&1)
#define MAJ(s) ((((s)&1)+(((s)>>1)&1)+(((s)>>2)&1)+(((s)>>3)&1))*2 > NN)

/* persisted on a member */
byte d[NM*NB];			/* data as read; with POWER the cached copy of ds */
#ifdef POWER
byte ds[NM*NB];			/* stable data */
#endif
byte bits[NM];			/* dirty bits of the other members */
byte intent;			/* mask: write intent set */
byte vw[NN], vU[NN], vY[NN];	/* view */
byte rst;			/* mask: restarted, uncertain set not settled yet */
/* volatile on a member */
byte up, mapok, lack, lst;	/* masks: alive; map complete; knows that it lacks the chunk; list not empty */
byte hv[NM], ovl[NM];		/* highest view seen; overlay of blocks */
byte cst, cgot[NM], cbuf[NM*NB], csrc[NM];	/* copy running (mask), blocks read, their data, source */
byte cnew[NM];			/* newest write in the source's list when the copy was read */
/* on the way */
byte pw[NM], pb[NM], pm[NM], pn[NM];	/* a write to m: value, block, mask of legs that miss it, view */
byte clr[NM*NM];		/* CLEAR of m for s: its view, 0 = none */
byte msd;			/* mask: MISSED answer on its way */
#ifdef M_NODRAIN
byte zw[NM], zb[NM];		/* request of a closed session that still reaches the medium */
#endif
#ifdef M_INTENTLATE
byte ip;
#endif
#ifdef M_OLDVIEW		/* second copy of the view message before the last */
byte on[NM], oU[NM], oY[NM];
#endif
#ifdef M_OLDMARK		/* second copy of the last MARK */
byte om[NM];
#endif
#ifdef M_DUPMARK		/* the same, but only within its view */
byte om[NM], omv[NM];
#endif
/* the client */
mtype = { GONE, ASKING, TELLING, MARKING, LIVE };
mtype ph;
byte sess;			/* mask: legs with a session */
byte U, Y, Ue, n, est;		/* view, U of the last established view, number, nodes that persisted it */
byte wr, wb, wmask, ans, miss, mk, jw;	/* running write; jw: legs that joined after it was issued */
byte prom;			/* members that promised this epoch */
byte got, src, ret, rmk;	/* attach: who promised; source. return: member+1, who marked */
bool unc, demoted;
bool fl;
byte flans;
/* history and oracle */
byte topn, nver, nmiss, nf, nc, nl;
byte acked[NB], maxread[NB], Ul;	/* Ul: U of the last established view, outlives the client */
#ifdef POWER
byte flushed[NB], flv[NB];
#endif
hidden byte x, y, k;
hidden byte I1_durability, I3_no_time_travel, I4_equality, I5_map_soundness, I8_flush, I9_liveness;	/* always 0: names in assertions */

#define ACT (U|Y)
#define SES(m) IN(m,sess)
#define D(m,b) d[(m)*NB+(b)]
#define KN(m) (vU[m]|vY[m])
#define INFLIGHT (wr!=0)
#ifdef QUORUM
#define EST ((ACT&~est)==0 && MAJ(est))
#define TELL(m) (!IN(m,est) && (IN(m,ACT) || !EST))	/* other voters only as far as the majority needs them */
#else
#define EST ((ACT&~est)==0)
#define TELL(m) (IN(m,ACT) && !IN(m,est))
#endif
#ifdef M_TRUSTY		/* the map is believed before it is complete */
#define DIRTY(m) (IN(m,lack))
#else
#define DIRTY(m) (!IN(m,mapok) || IN(m,lack))
#endif
#ifdef M_READY		/* dirty chunks are served */
#define SERVES(m) 1
#else
#define SERVES(m) (!DIRTY(m))
#endif
#ifdef M_SRC		/* a dirty member is a source */
#define SRCOK(s) 1
#else
#define SRCOK(s) (!DIRTY(s))
#endif
#ifdef N_LIST
#define LISTED(m) (pw[m]!=0)
#else
#define LISTED(m) IN(m,lst)
#endif
#define UNC(m) ((IN(m,rst) && IN(m,intent)) || LISTED(m))
#ifdef N_INTENT
#define DONE(m) 1
#else
#define DONE(m) (!IN(m,lst))
#endif
#ifdef POWER
#define STABLE(m) (ds[(m)*NB]==d[(m)*NB] && ds[(m)*NB+NB-1]==d[(m)*NB+NB-1])
#define FLUSH(m) ds[(m)*NB]=d[(m)*NB]; ds[(m)*NB+NB-1]=d[(m)*NB+NB-1]
#else
#define STABLE(m) 1
#define FLUSH(m) skip
#endif
#ifdef M_EARLYPULL
#define PULLOK(m) 1
#else
#ifdef N_PULLALL	/* only writes whose mask names the leg */
#define PULLOK(m) (!(INFLIGHT && IN(m,wmask)))
#else
#define PULLOK(m) (!(INFLIGHT && IN(m,jw)))
#endif
#endif
#ifdef N_HOLD
#define HOLD(m) 0
#else
#define HOLD(m) (INFLIGHT && IN(m,(miss|msd)))
#endif
#ifdef N_COPYLIST
#define NEWEST(s) 0
#else
#define NEWEST(s) (IN(s,lst) -> (INFLIGHT && !IN(s,ans) -> nver-1 : nver) : 0)
#endif
/* Copied data counts when all writes it may hold are known complete: m hears s from the client. */
#define HELD(m) (cnew[m]==0 || (SES(m) && ph==LIVE && IN(m,ACT) && !(INFLIGHT && wr<=cnew[m])))
#ifdef M_ACKMARK
#define MARKED 1
#else
#define MARKED (miss==0 || (ACT&~mk)==0)
#endif
#ifdef N_WVIEW
#define SEE(m,v) skip
#else
#define SEE(m,v) if :: (v)>hv[m] -> hv[m]=(v) :: else fi
#endif
#ifdef N_PROMO
#define UBASE U
#else
#define UBASE (U&Ue)
#endif
#ifdef N_SRCU
#define SRCBIT B(src)
#else
#define SRCBIT 0
#endif
#ifdef N_REPULL
#define KEEPMAP 1
#else
#define KEEPMAP 0
#endif
#ifdef M_ONEU
#define ENOUGH ((U&got)!=0)
#else
#ifdef QUORUM
#define ENOUGH (MAJ(got) && (U&got)!=0)
#else
#define ENOUGH (U!=0 && (U&~got)==0)
#endif
#endif
#ifdef N_PROMOCLR
#define CLEARED(m) 1
#else
#define CLEARED(m) (!((IN(0,ACT) && IN(m,bits[0])) || (IN(1,ACT) && IN(m,bits[1])) || (IN(NM-1,ACT) && IN(m,bits[NM-1]))))
#endif
#ifdef M_ACKFLUSH
#define FLUSHED (flans!=0)
#else
#define FLUSHED ((ACT&~flans)==0 && EST)
#endif
#ifdef M_SERVEEARLY
#define RECONCILED 1
#else
#define RECONCILED (!unc || (ACT&~mk)==0)
#endif

inline void_copy(m)
{
	cst=cst&~B(m); cgot[m]=0; csrc[m]=0; cnew[m]=0; cbuf[m*NB]=0; cbuf[m*NB+NB-1]=0
}
inline empty_slot(m)
{
	pw[m]=0; pb[m]=0; pm[m]=0; pn[m]=0
}
inline new_view()
{
	topn++; n=topn; est=0; mk=0; assert(n<MAXN)
}
inline apply(m)			/* R3.2: intent, data, dirty bits, list */
{
#ifndef M_NOINTENT
#ifdef M_INTENTLATE
	ip=ip|B(m);
#else
	intent=intent|B(m);
#endif
#endif
#ifndef M_NOMASK
	bits[m]=bits[m]|(pm[m]&~B(m));
#endif
#ifndef M_NOOVL
	if :: DIRTY(m) -> ovl[m]=ovl[m]|B(pb[m]) :: else fi;
#endif
	SEE(m,pn[m]);
	D(m,pb[m])=pw[m]; lst=lst|B(m);
	printf("EV member %d applies write %d block %d mask %d view %d\n",m,pw[m],pb[m],pm[m],pn[m])
}
inline gone()			/* the client is no more; what it sent stays on its way */
{
	ph=GONE; sess=0; prom=0; U=0; Y=0; Ue=0; n=0; est=0; wr=0; wb=0; wmask=0; ans=0; miss=0; msd=0; mk=0; jw=0;
	got=0; unc=0; demoted=0; src=0; ret=0; rmk=0; fl=0; flans=0;
#ifdef POWER
	flv[0]=0; flv[NB-1]=0;
#endif
}
inline do_pull(m,s)
{
#ifdef N_FULLMAP
	skip;
#else
	bits[m]=bits[m]|(bits[s]&~B(m));
#endif
	mapok=mapok|B(m);
	if :: IN(m,bits[s]) -> lack=lack|B(m) :: else fi;
#ifdef N_PULLADD	/* the pulled map replaces what the leg knows it lacks */
	if :: !IN(m,bits[s]) -> lack=lack&~B(m) :: else fi;
#endif
	if :: !IN(m,lack) -> ovl[m]=0 :: else fi;
	printf("EV member %d pulled the map from %d: lacks %d, bits %d\n",m,s,IN(m,lack),bits[m])
}
#define CAN_PULL(m,s) (IN(m,up) && ph==LIVE && SES(m) && IN(m,Y) && !IN(m,mapok) && IN(m,est) && PULLOK(m) \
	&& IN(s,U) && IN(s,est) && IN(s,up) && IN(s,mapok))
#define CAN_COPY(m,s) (IN(m,up) && IN(m,KN(m)) && IN(m,mapok) && IN(m,lack) && !IN(m,cst) && !HOLD(m) \
	&& IN(s,KN(m)) && IN(s,up) && SRCOK(s))
inline do_copy(m,s)
{
	cst=cst|B(m); csrc[m]=s; cgot[m]=0; printf("EV member %d starts to copy from %d\n",m,s)
}
#define CAN_RESEND(m,s) (IN(m,up) && IN(m,vY[m]) && IN(m,KN(m)) && IN(m,mapok) && !IN(m,lack) && vw[m]>=hv[m] \
	&& IN(s,KN(m)) && IN(m,bits[s]) && clr[(m)*NM+(s)]!=vw[m])
#ifdef M_CLRALL		/* the view of a CLEAR is not compared */
#define FRESH(m,s) 1
#else
#ifdef N_WVIEW
#define FRESH(m,s) (clr[(s)*NM+(m)]>=vw[m])
#else
#define FRESH(m,s) (clr[(s)*NM+(m)]>=hv[m])
#endif
#endif
inline do_clear(m,s)
{
	if :: FRESH(m,s) -> bits[m]=bits[m]&~B(s) :: else fi;
	printf("EV CLEAR of %d, view %d, at %d: bits %d\n",s,clr[s*NM+m],m,bits[m]); clr[s*NM+m]=0
}

/* Member m, and what the client does with leg m. */
proctype node(byte m)
{
	do
	/* ---- writes */
	:: d_step { IN(m,up) && pw[m]!=0 -> apply(m);
		if :: SES(m) && ph==LIVE && pw[m]==wr && IN(m,ACT) -> ans=ans|B(m) :: else fi; empty_slot(m) }
	:: d_step { IN(m,up) && pw[m]!=0 && nmiss<MAXM && SES(m) && ph==LIVE && pw[m]==wr && IN(m,ACT) && (U&~(B(m)|miss|msd))!=0 ->
		nmiss++; SEE(m,pn[m]); bits[m]=bits[m]|(pm[m]&~B(m)); lack=lack|B(m); msd=msd|B(m);
#ifndef N_OVLMISS
		ovl[m]=ovl[m]&~B(pb[m]);
#endif
#ifndef N_VOID
		void_copy(m);
#endif
		printf("EV member %d answers MISSED to write %d\n",m,pw[m]); empty_slot(m) }
	:: d_step { IN(m,msd) -> msd=msd&~B(m); miss=miss|B(m); mk=0;		/* the client gets MISSED */
#ifndef N_MISSVIEW
		k=UBASE&~B(m); Y=ACT&~k; U=k; new_view();
#endif
		printf("EV client hears MISSED of %d: view %d U %d Y %d\n",m,n,U,Y);
		if :: U==0 -> gone(); printf("EV no leg of U left: suspended\n") :: else fi }
	:: d_step { ph==LIVE && INFLIGHT && miss!=0 && EST && SES(m) && IN(m,up) && IN(m,ACT) && !IN(m,mk) ->
#ifndef M_NOMARK
		bits[m]=bits[m]|(miss&~B(m));
#endif
#ifdef M_OLDMARK
		om[m]=miss&~B(m);
#endif
#ifdef M_DUPMARK
		om[m]=miss&~B(m); omv[m]=n;
#endif
		SEE(m,n); mk=mk|B(m); printf("EV MARK %d at %d\n",miss,m) }
	:: d_step { IN(m,lst) && SES(m) && IN(m,up) && ph==LIVE && IN(m,ACT) && (!INFLIGHT || !IN(m,ans)) -> lst=lst&~B(m);	/* "all below s" */
#if MAXF==0	/* without restarts nobody looks at intents but I5: clear them at the earliest */
		if :: !IN(m,rst) && pw[m]==0 -> intent=intent&~B(m) :: else fi;
#endif
		printf("EV member %d drops its list\n",m) }
	:: d_step { IN(m,intent) && IN(m,up) && STABLE(m) && pw[m]==0 && !IN(m,rst) && DONE(m) -> intent=intent&~B(m);
		printf("EV member %d clears its intent\n",m) }
#ifdef M_INTENTLATE
	:: d_step { IN(m,ip) && IN(m,up) -> ip=ip&~B(m); intent=intent|B(m) }
#endif
#ifdef M_NODRAIN
	:: d_step { zw[m]!=0 && IN(m,up) -> D(m,zb[m])=zw[m]; printf("EV zombie write %d at %d\n",zw[m],m); zw[m]=0; zb[m]=0 }
#endif
#ifdef POWER
	:: d_step { IN(m,up) && !STABLE(m) -> FLUSH(m); printf("EV member %d writes back\n",m) }
	:: d_step { fl && IN(m,ACT) && SES(m) && IN(m,up) && !IN(m,flans) -> FLUSH(m); flans=flans|B(m); printf("EV member %d flushes\n",m) }
#endif
	/* ---- faults */
	:: d_step { IN(m,up) && nf<MAXF -> nf++; up=up&~B(m); sess=sess&~B(m); msd=msd&~B(m); empty_slot(m); void_copy(m);
		lst=lst&~B(m); rst=rst|B(m); mapok=mapok&~B(m); lack=lack&~B(m); ovl[m]=0; hv[m]=vw[m];
#ifdef POWER
		d[m*NB]=ds[m*NB]; d[m*NB+NB-1]=ds[m*NB+NB-1];
#endif
#ifdef M_INTENTLATE
		ip=ip&~B(m);
#endif
#ifdef M_NODRAIN
		zw[m]=0; zb[m]=0;
#endif
		printf("EV member %d crashes\n",m) }
	:: d_step { !IN(m,up) -> up=up|B(m); printf("EV member %d boots\n",m) }
	:: d_step { SES(m) && nl<MAXL -> nl++; sess=sess&~B(m); msd=msd&~B(m); printf("EV link to %d lost\n",m) }
	/* ---- eject: U from the last established view; without a leg of U the client has to attach again */
	:: d_step { ph==LIVE && IN(m,ACT) && !SES(m) ->
		k=UBASE&~B(m); Y=ACT&~k&~B(m); U=k; new_view();
		if :: INFLIGHT && !IN(m,ans) -> miss=miss|B(m) :: else fi;
#ifdef M_NODRAIN
		zw[m]=pw[m]; zb[m]=pb[m]; empty_slot(m);
#endif
		fl=0; flans=0; printf("EV eject %d: view %d U %d Y %d\n",m,n,U,Y);
		if :: U==0 -> gone(); printf("EV no leg of U left: suspended\n") :: else fi }
	/* ---- views */
	:: d_step { (ph==LIVE || ph==TELLING) && IN(m,up) && (SES(m) || (!IN(m,ACT) && IN(m,prom))) && TELL(m) ->
#ifdef M_OLDVIEW
		on[m]=vw[m]; oU[m]=vU[m]; oY[m]=vY[m];
#endif
		vw[m]=n; vU[m]=U; vY[m]=Y; hv[m]=n; est=est|B(m);
#ifndef N_OUTVOID
		if :: !IN(m,ACT) -> void_copy(m); mapok=mapok&~B(m) :: else fi;
#endif
		if :: ph==TELLING && IN(m,U) -> mapok=mapok|B(m); lack=lack&~B(m) :: ph==TELLING && IN(m,Y) && !KEEPMAP -> mapok=mapok&~B(m) :: else fi;
		if :: EST -> Ue=U; Ul=U :: else fi;
		printf("EV view %d U %d Y %d told to %d\n",n,U,Y,m) }
#ifdef M_OLDVIEW
	:: d_step { on[m]!=0 && IN(m,up) -> vw[m]=on[m]; vU[m]=oU[m]; vY[m]=oY[m]; on[m]=0; oU[m]=0; oY[m]=0; printf("EV second copy of view %d at %d\n",vw[m],m) }
#endif
#ifdef M_OLDMARK
	:: d_step { om[m]!=0 && IN(m,up) -> bits[m]=bits[m]|om[m]; om[m]=0; printf("EV second copy of a MARK at %d\n",m) }
#endif
#ifdef M_DUPMARK
	:: d_step { om[m]!=0 && IN(m,up) -> if :: omv[m]>=hv[m] -> bits[m]=bits[m]|om[m] :: else fi; om[m]=0; omv[m]=0; printf("EV second copy of a MARK at %d\n",m) }
#endif
#ifdef M_RESUME		/* a lost session is taken up again without ejection */
	:: d_step { ph==LIVE && IN(m,ACT) && !SES(m) && IN(m,up) -> sess=sess|B(m); printf("EV session to %d resumed\n",m) }
#endif
	/* ---- return (section 5) */
	:: d_step { ph==LIVE && !IN(m,ACT) && IN(m,up) && IN(m,prom) && ret==0 && EST && pw[m]==0 -> ret=m+1; rmk=0; sess=sess|B(m);
		printf("EV return of %d starts, uncertain %d\n",m,UNC(m)) }
	:: atomic { ph==LIVE && !IN(m,ACT) && IN(m,up) && (pw[m]!=0 || !IN(m,prom)) ->		/* promise, drain: done or refused */
		if :: pw[m]!=0 -> if :: apply(m) :: skip fi; empty_slot(m) :: else fi;
		d_step { prom=prom|B(m); void_copy(m); mapok=mapok&~B(m) } }
	:: d_step { ret!=0 && IN(ret-1,sess) && IN(m,ACT) && SES(m) && IN(m,up) && !IN(m,rmk) ->
#ifndef M_RETNOUNC
		if :: UNC(ret-1) -> bits[m]=bits[m]|B(ret-1); printf("EV MARK of returning %d at %d\n",ret-1,m) :: else fi;
#endif
		rmk=rmk|B(m) }
	:: d_step { ret==m+1 && SES(m) && (ACT&~rmk)==0 && EST ->
		if :: IN(m,rst) -> intent=intent&~B(m) :: else fi;
		lst=lst&~B(m); rst=rst&~B(m); mapok=mapok&~B(m); lack=lack&~B(m); ret=0; rmk=0;
#ifndef M_KEEPOVL
		ovl[m]=0;
#endif
		void_copy(m);
#ifndef N_FULLMAP
		bits[m]=0;
#endif
		if :: INFLIGHT -> jw=jw|B(m) :: else fi;
		Y=Y|B(m); new_view(); printf("EV return of %d: view %d U %d Y %d\n",m,n,U,Y) }
	:: d_step { ret==m+1 && !SES(m) -> ret=0; rmk=0 }
	/* ---- map pull, resync */
	:: d_step { CAN_PULL(m,(m+1)%NM) -> do_pull(m,(m+1)%NM) }
	:: d_step { CAN_COPY(m,(m+1)%NM) -> do_copy(m,(m+1)%NM) }
	:: d_step { CAN_RESEND(m,(m+1)%NM) -> clr[m*NM+(m+1)%NM]=vw[m] }
	:: d_step { clr[((m+1)%NM)*NM+m]!=0 && IN(m,up) -> do_clear(m,(m+1)%NM) }
#if NM>2
	:: d_step { CAN_PULL(m,(m+2)%NM) -> do_pull(m,(m+2)%NM) }
	:: d_step { CAN_COPY(m,(m+2)%NM) -> do_copy(m,(m+2)%NM) }
	:: d_step { CAN_RESEND(m,(m+2)%NM) -> clr[m*NM+(m+2)%NM]=vw[m] }
	:: d_step { clr[((m+2)%NM)*NM+m]!=0 && IN(m,up) -> do_clear(m,(m+2)%NM) }
#endif
	:: d_step { IN(m,cst) && !IN(0,cgot[m]) && IN(csrc[m],KN(m)) && IN(csrc[m],up) && SRCOK(csrc[m]) ->
		cbuf[m*NB]=D(csrc[m],0); cgot[m]=cgot[m]|1; k=NEWEST(csrc[m]); if :: k>cnew[m] -> cnew[m]=k :: else fi; printf("EV member %d copy reads block 0 = %d\n",m,cbuf[m*NB]) }
#if NB>1
	:: d_step { IN(m,cst) && !IN(1,cgot[m]) && IN(csrc[m],KN(m)) && IN(csrc[m],up) && SRCOK(csrc[m]) ->
		cbuf[m*NB+1]=D(csrc[m],1); cgot[m]=cgot[m]|2; k=NEWEST(csrc[m]); if :: k>cnew[m] -> cnew[m]=k :: else fi; printf("EV member %d copy reads block 1 = %d\n",m,cbuf[m*NB+1]) }
#endif
	:: d_step { IN(m,cst) && cgot[m]==(1<<NB)-1 && HELD(m) -> x=0;
		do :: x<NB -> if :: !IN(x,ovl[m]) -> D(m,x)=cbuf[m*NB+x] :: else fi; x++ :: else -> break od;
		ovl[m]=0; lack=lack&~B(m); FLUSH(m); void_copy(m); printf("EV member %d copy done, CLEAR view %d\n",m,vw[m]);
		x=0; do :: x<NM -> if :: x!=m && IN(x,KN(m)) -> clr[m*NM+x]=vw[m] :: else fi; x++ :: else -> break od; x=0 }
	:: d_step { IN(m,cst) && !(IN(csrc[m],KN(m)) && IN(csrc[m],up) && SRCOK(csrc[m])) -> void_copy(m) }
	/* ---- promotion */
	:: d_step { ph==LIVE && EST && IN(m,Y) && SES(m) && IN(m,up) && IN(m,est) && IN(m,mapok) && !IN(m,lack) && !IN(m,(miss|msd)) && CLEARED(m) ->
#ifndef N_RETFLUSH
		FLUSH(m);
#endif
		Y=Y&~B(m); U=U|B(m); new_view(); printf("EV promote %d: view %d U %d Y %d\n",m,n,U,Y) }
	/* ---- attach: promise, with drain */
	:: atomic { ph==ASKING && IN(m,up) && !IN(m,got) ->
		if
		:: pw[m]!=0 -> if :: apply(m) :: printf("EV write %d to %d refused\n",pw[m],m) fi; empty_slot(m)
		:: else
		fi;
		d_step { got=got|B(m); sess=sess|B(m);
#ifndef N_ATTVOID
			void_copy(m);
#endif
#ifndef N_REPULL
			mapok=mapok&~B(m); lack=lack&~B(m);
#endif
			if :: vw[m]>n -> n=vw[m]; U=vU[m]; Y=vY[m] :: else fi;
			printf("EV %d promises: view %d U %d Y %d, uncertain %d\n",m,vw[m],vU[m],vY[m],UNC(m)) } }
	:: d_step { ph==MARKING && unc && IN(m,ACT) && SES(m) && IN(m,up) && !IN(m,mk) ->
#ifdef N_ABSENT
		bits[m]=bits[m]|(got&ALL&~B(src)&~B(m));
#else
		bits[m]=bits[m]|(ALL&~B(src)&~B(m));
#endif
#ifndef N_MARKOVL
		if :: m!=src -> ovl[m]=0 :: else fi;
#endif
#ifndef N_SRCBITS
		bits[m]=bits[m]&~B(src);
#endif
		mk=mk|B(m); printf("EV MARK of reconcile at %d\n",m) }
	:: d_step { ph!=GONE && ph!=LIVE && ((ph==ASKING && IN(m,got)) || (ph!=ASKING && IN(m,ACT))) && !SES(m) -> gone(); printf("EV attach starts over\n") }
	/* ---- reads: I1, I3, I6.  Never while an overlapping write runs (R4.2) */
#define READS(b) (ph==LIVE && IN(m,ACT) && SES(m) && IN(m,up) && SERVES(m) && !(INFLIGHT && wb==(b)))
	:: d_step { READS(0) && D(m,0)<acked[0] -> printf("EV read of %d = %d, acknowledged %d\n",m,D(m,0),acked[0]); assert(I1_durability) }
	:: d_step { READS(0) && D(m,0)<maxread[0] -> printf("EV read of %d = %d after %d\n",m,D(m,0),maxread[0]); assert(I3_no_time_travel) }
	:: d_step { READS(0) && D(m,0)>maxread[0] -> maxread[0]=D(m,0); printf("EV read of %d block 0 = %d\n",m,D(m,0)) }
#if NB>1
	:: d_step { READS(1) && D(m,1)<acked[1] -> printf("EV read of %d = %d, acknowledged %d\n",m,D(m,1),acked[1]); assert(I1_durability) }
	:: d_step { READS(1) && D(m,1)<maxread[1] -> printf("EV read of %d = %d after %d\n",m,D(m,1),maxread[1]); assert(I3_no_time_travel) }
	:: d_step { READS(1) && D(m,1)>maxread[1] -> maxread[1]=D(m,1); printf("EV read of %d block 1 = %d\n",m,D(m,1)) }
#endif
	od
}

inline issue(b)
{
	nver++; wr=nver; wb=b; wmask=ALL&~ACT; ans=0; miss=0; mk=0; x=0;
	do :: x<NM -> if :: IN(x,ACT) && SES(x) -> pw[x]=wr; pb[x]=wb; pm[x]=wmask; pn[x]=n :: else fi; x++ :: else -> break od;
	printf("EV client writes %d block %d to %d\n",wr,wb,ACT)
}

proctype client()
{
	do
	:: d_step { ph==LIVE && !INFLIGHT && nver<MAXW -> issue(0) }
#if NB>1
	:: d_step { ph==LIVE && !INFLIGHT && nver<MAXW -> issue(1) }
#endif
	:: d_step { ph==LIVE && INFLIGHT && (ACT&~(ans|miss|wmask))==0 && (U&~ans)==0 && EST && MARKED && msd==0 ->
		printf("EV ack of %d: answered %d missed %d\n",wr,ans,miss); acked[wb]=wr; wr=0; wb=0; wmask=0; ans=0; miss=0; mk=0; jw=0 }
#ifdef POWER
	:: d_step { ph==LIVE && !INFLIGHT && !fl && (acked[0]>flushed[0] || acked[NB-1]>flushed[NB-1]) -> fl=1; flans=0; flv[0]=acked[0]; flv[NB-1]=acked[NB-1] }
	:: d_step { fl && FLUSHED ->
		flushed[0]=(flv[0]>flushed[0] -> flv[0] : flushed[0]); flushed[NB-1]=(flv[NB-1]>flushed[NB-1] -> flv[NB-1] : flushed[NB-1]);
		printf("EV ack of flush, active %d\n",ACT);
		x=0; do :: x<NM -> if :: IN(x,U) && (ds[x*NB]<flv[0] || ds[x*NB+NB-1]<flv[NB-1]) -> assert(I8_flush) :: else fi; x++ :: else -> break od;
		fl=0; flans=0; flv[0]=0; flv[NB-1]=0 }
#endif
	:: d_step { ph!=GONE && nc<MAXC -> nc++; gone(); printf("EV client dies\n") }
	/* ---- attach and reconcile (sections 2 and 6) */
	:: d_step { ph==GONE -> ph=ASKING }
#if WIT
	:: d_step { ph==ASKING && !IN(NM,got) -> got=got|B(NM); if :: vw[NM]>n -> n=vw[NM]; U=vU[NM]; Y=vY[NM] :: else fi; printf("EV witness promises: view %d U %d Y %d\n",vw[NM],vU[NM],vY[NM]) }
	:: d_step { (ph==LIVE || ph==TELLING) && TELL(NM) -> vw[NM]=n; vU[NM]=U; vY[NM]=Y; est=est|B(NM); if :: EST -> Ue=U; Ul=U :: else fi; printf("EV view %d told to the witness\n",n) }
#endif
	:: d_step { ph==ASKING && ENOUGH ->
		x=0; do :: x<NM -> if :: IN(x,got) && IN(x,ACT) && UNC(x) -> unc=1 :: else fi; x++ :: else -> break od;
#ifdef N_SRCU
		y=got&ALL;
#else
		y=got&U;
#endif
#ifdef N_SRCBITS	/* a dirty bit rules a leg of U out */
		x=0; do :: x<NM -> if :: IN(x,got) && IN(x,ACT) -> y=y&~bits[x] :: else fi; x++ :: else -> break od;
#endif
		src=NM;
#ifndef M_LOWID
		x=0; do :: x<NM -> if :: IN(x,y) && !IN(x,rst) && src==NM -> src=x :: else fi; x++ :: else -> break od;
#endif
		x=0; do :: x<NM -> if :: IN(x,y) && src==NM -> src=x :: else fi; x++ :: else -> break od;
#ifdef POWER	/* every leg of U that answered lost its cache: only flushed data is promised (I3) */
		x=0; y=0; do :: x<NM -> if :: IN(x,got&U) && !IN(x,rst) -> y=1 :: else fi; x++ :: else -> break od;
		x=0; do :: x<NB && y==0 -> if :: acked[x]>flushed[x] -> acked[x]=flushed[x] :: else fi;
				if :: maxread[x]>flushed[x] -> maxread[x]=flushed[x] :: else fi; x++ :: else -> break od;
#endif
#ifdef N_KEEP
		lst=lst&~got; rst=rst&~got;
#endif
#ifdef M_NOREC
		unc=0;
#endif
		U=U&got; Y=Y&got; prom=got&ALL;
#ifdef N_TWOVIEWS	/* the first view of the attach demotes at once */
		if :: unc && src<NM -> Y=ACT&~B(src); U=B(src); demoted=1 :: else fi;
#endif
		sess=sess&(ACT|SRCBIT); new_view(); Ue=U; ph=TELLING; printf("EV attach: promised %d, view %d U %d Y %d, uncertain %d source %d\n",got,n,U,Y,unc,src) }
#ifndef N_DEMOTE
	:: d_step { ph==TELLING && EST && unc && !demoted -> demoted=1; Y=ACT&~B(src); U=B(src); new_view(); printf("EV demotion: view %d U %d Y %d\n",n,U,Y) }
	:: d_step { ph==TELLING && EST && (!unc || demoted) -> ph=MARKING; mk=0 }
#else
	:: d_step { ph==TELLING && EST -> ph=MARKING; mk=0 }
#endif
	:: d_step { ph==MARKING && (ACT&~sess)==0 && RECONCILED ->
		x=0; do :: x<NM -> if :: IN(x,ACT) -> FLUSH(x) :: else fi; x++ :: else -> break od;
		lst=lst&~ACT; rst=rst&~ACT; ph=LIVE; got=0; unc=0; demoted=0; src=0; mk=0; printf("EV live: view %d U %d Y %d\n",n,U,Y) }
	od
}

#define DIFF(i,j) (D(i,0)!=D(j,0) || D(i,NB-1)!=D(j,NB-1))
#define COVERED(i,j) (IN(i,intent) || IN(j,intent) || IN(j,bits[i]))
#define I5(i,j) (IN(i,Ul) && DIFF(i,j) && !COVERED(i,j))
#define QUIET (ph==LIVE && !INFLIGHT && EST && U==ALL && sess==ALL)
#if NM>2
#define NOBITS (bits[0]==0 && bits[1]==0 && bits[2]==0)
#else
#define NOBITS (bits[0]==0 && bits[1]==0)
#endif
proctype monitor()
{
	do
	:: d_step { I5(0,1) -> printf("EV 0 and 1 differ, nothing covers it\n"); assert(I5_map_soundness) }
	:: d_step { I5(1,0) -> printf("EV 1 and 0 differ, nothing covers it\n"); assert(I5_map_soundness) }
#if NM>2
	:: d_step { I5(0,2) || I5(2,0) || I5(1,2) || I5(2,1) -> assert(I5_map_soundness) }
#endif
	:: d_step { QUIET && NOBITS && lack==0 && (DIFF(0,1) || DIFF(0,NM-1)) -> assert(I4_equality) }
	:: d_step { timeout && !(QUIET && NOBITS) -> printf("EV stuck: U %d Y %d bits %d %d\n",U,Y,bits[0],bits[1]); assert(I9_liveness) }
	od
}

init {
	d_step {
		x=0; do :: x<NN -> vw[x]=1;
#ifdef INITY
			vU[x]=ALL&~2; vY[x]=2;
#else
#ifdef INITYY
			vU[x]=1; vY[x]=6;
#else
			vU[x]=ALL;
#endif
#endif
			x++ :: else -> break od;
		x=0; do :: x<NM -> hv[x]=1; x++ :: else -> break od;
		up=ALL; mapok=ALL; sess=ALL; prom=ALL; topn=1; n=1; est=(1<<NN)-1; ph=LIVE; U=vU[0]; Y=vY[0]; Ue=U; Ul=U;
#ifdef INITY
		mapok=ALL&~2; bits[0]=2; bits[NM-1]=(NM>2 -> 2 : bits[NM-1]);
#endif
#ifdef INITYY
		lack=4; bits[0]=4; bits[1]=4;
#endif
		x=0; y=0; k=0
	}
	atomic {
		run monitor(); run client(); run node(0); run node(1);
#if NM>2
		run node(2);
#endif
	}
}
