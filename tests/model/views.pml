/* SPDX-License-Identifier: Apache-2.0 */
/*
 * views.pml - views, epochs, attach, quorum, lease, detach (docs/protocol.md section 2) with clients that live on after they
 * were superseded, and messages that are lost or delayed as long as they like.
 *
 * One register; values are version numbers.  NM members (2 or 3), WIT witnesses, two client processes that attach MAXE times
 * together, make MAXV views in each attachment and MAXW writes together.  A dead, partitioned or slow member is one that nobody
 * talks to, so there are no member faults; the busy rule (R2.14) gives no safety and is left out.  Epochs are unique numbers in the
 * order in which they were chosen; only their order matters.  View numbers start anew in each epoch, for the same reason.
 * Reconcile: legs of U that differ, or may differ, are demoted to one source in a second view (R2.8); marks and resync, one step, are
 * in pool.pml.
 *
 * The lease needs no clock here (lease.pml has it): a voter counts for client c as long as it serves c's epoch, and after it
 * promised a newer one until a wait of the newer client is over (held[c]); nothing expires earlier, which is the worst case.
 *
 * Rules that can be taken away (-DN_x removes F_x) and mutants (-DM_x) are named where they act; docs/protocol.md lists them.
 */
#ifndef NM
#define NM 2
#endif
#ifndef WIT
#define WIT 0
#endif
#define NN (NM+WIT)
#ifndef MAXE
#define MAXE 3
#endif
#ifndef MAXV
#define MAXV 3
#endif
#ifndef MAXW
#define MAXW 2
#endif
#define ALL ((1<<NM)-1)
#define VOTERS ((1<<NN)-1)
#define B(m) (1<<(m))
#define IN(m,s) (((s)>>(m))&1)
#define MAJ(s) ((((s)&1)+(((s)>>1)&1)+(((s)>>2)&1)+(((s)>>3)&1))*2 > NN)

/* persisted on each node: promised epoch, view {epoch, number, U, Y}, epoch of the clean detach; data on members */
byte ep[NN], ve[NN], vn[NN], vu[NN], vy[NN], cl[NN];
byte d[NM];
byte ce[2], held[2];		/* lease of each client: its epoch while it takes answers; voters lost to a newer epoch that still count */
byte nver, acked, maxread, attaches, topep;
hidden byte k, x;
hidden byte I1_durability, I3_no_time_travel;	/* always 0: names in assertions */

mtype = { GONE, ASKING, TELLING, LIVE, LEAVING };

#ifdef M_NOFENCE
#define OK(m) 1
#else
#ifdef N_EPOCH
#define OK(m) (ep[m]<=e)
#else
#define OK(m) (ep[m]==e)
#endif
#endif
#ifdef QUORUM
#ifdef M_NOEST
#define EST ((ACT&~est)==0)
#else
#define EST ((ACT&~est)==0 && MAJ(est))
#endif
#define TELL(m) (!IN(m,est) && !EST)
#else
#define EST ((ACT&~est)==0)
#define TELL(m) (IN(m,ACT) && !IN(m,est))
#endif
#define ACT (U|Y)
#ifdef N_ORDER
#define NEWER(m) (vn[m]>=n)
#else
#define NEWER(m) (ve[m]>vE || (ve[m]==vE && vn[m]>n))
#endif
#ifdef M_ACKEARLY
#define CANACK (wr!=0 && (ans&U)!=0 && EST)
#else
#ifdef M_NOVIEWGATE
#define CANACK (wr!=0 && (ACT&~ans)==0)
#else
#define CANACK (wr!=0 && (ACT&~ans)==0 && EST)
#endif
#endif
#ifdef N_PROMO
#define STEADY 1
#define UBASE U
#else
#define STEADY EST
#define UBASE (U&Ue)
#endif
#ifdef M_UNSYNCED
#define SYNCED(m) 1
#else
#define SYNCED(m) IN(m,syn)
#endif
#define COUNTS (held[id] | (ep[0]==e) | ((ep[1]==e)<<1) | ((ep[NN-1]==e)<<(NN-1)))
#ifdef N_LEASE
#define LEASE 1
#else
#ifdef QUORUM
#define LEASE MAJ(COUNTS)
#else
#define LEASE ((U&~COUNTS)==0)
#endif
#endif
#ifdef M_ANYONE
#define ENOUGH ((U&got)!=0)
#else
#ifdef QUORUM
#ifdef M_NOMAJ
#define ENOUGH ((U&got)!=0)
#else
#define ENOUGH (MAJ(got) && (U&got)!=0)
#endif
#else
#define ENOUGH (U!=0 && (U&~got)==0)
#endif
#endif
#ifdef M_CLEANANY	/* a clean record is believed whatever its epoch */
#define CLEAN ((IN(0,got) && cl[0]!=0) || (IN(1,got) && cl[1]!=0) || (IN(NN-1,got) && cl[NN-1]!=0))
#else
#define CLEAN (vE!=0 && ((IN(0,got) && cl[0]==vE) || (IN(1,got) && cl[1]==vE) || (IN(NN-1,got) && cl[NN-1]==vE)))
#endif
#ifdef M_NOWAIT
#define MUSTWAIT 0
#else
#define MUSTWAIT ((ACT&~got)!=0 && !CLEAN)
#endif
#ifdef N_ORDER		/* numbers go on over epochs */
#define FULL (n>=MAXV+1)
#else
#define FULL (n>=MAXV)
#endif

#ifndef FIRST
#define FIRST 1		/* N_TWOVIEWS: the source */
#endif

inline reset()
{
#ifdef M_WAITLATE
	late=0;
#endif
	ph=GONE; dm=0; e=0; n=0; vE=0; U=0; Y=0; Ue=0; Ae=0; est=0; ans=0; wr=0; syn=0; got=0; ce[id]=0; held[id]=0; k=0; x=0
}
inline promise(m)
{
#ifdef N_EPOCH		/* the member chooses: its own epoch + 1 */
	ep[m]++; if :: ep[m]>e -> e=ep[m] :: else fi;
#else
	if :: ce[1-id]!=0 && ep[m]==ce[1-id] -> held[1-id]=held[1-id]|B(m) :: else fi;
	ep[m]=e;
#endif
	got=got|B(m);
	printf("EV c%d e%d: %d promises, view %d.%d U %d Y %d\n",id,e,m,ve[m],vn[m],vu[m],vy[m]);
#ifdef M_FIRSTV
	if :: U==0 -> vE=ve[m]; n=vn[m]; U=vu[m]; Y=vy[m] :: else fi
#else
	if :: NEWER(m) -> vE=ve[m]; n=vn[m]; U=vu[m]; Y=vy[m] :: else fi
#endif
}
inline tell(m)
{
	ve[m]=e; vn[m]=n; vu[m]=U; vy[m]=Y; est=est|B(m);
	if :: EST -> Ue=U; Ae=ACT :: else fi;
	printf("EV c%d tells %d view %d.%d U %d Y %d\n",id,m,e,n,U,Y)
}
inline first_view()	/* R2.7: a new view of the own epoch */
{
	U=U&got; Y=Y&got;
#ifdef N_ORDER
	n++;
#else
	n=1;
#endif
	est=0; Ue=U; got=0; vE=0;
#ifdef N_TWOVIEWS	/* the first view demotes already, to member 0 or 1 */
	if :: IN(FIRST,U) -> dm=1; Y=ACT&~B(FIRST); U=B(FIRST); Ue=U :: else fi;
#endif
#ifdef N_ATTACH		/* no view of its own: the found one counts as established if nobody is missing */
	est=VOTERS; Ae=ACT;
#endif
	ph=TELLING; ce[id]=e; held[id]=0
}
inline demote(s)	/* R2.8: the legs that may differ from the source go to Y in a view of their own */
{
	dm=1; Y=ACT&~B(s); U=B(s); n++; est=0; printf("EV c%d demotion: view %d.%d U %d Y %d\n",id,e,n,U,Y)
}
#ifdef M_WAITLATE
#define WAITED (!late)
#else
#define WAITED 1
#endif
#define CAN_DEMOTE(s) (ph==TELLING && EST && IN(s,U) && (U&~B(s))!=0 && !dm)
#if NM>2
#define DIFFER ((IN(0,U) && IN(1,U) && d[0]!=d[1]) || (IN(0,U) && IN(2,U) && d[0]!=d[2]) || (IN(1,U) && IN(2,U) && d[1]!=d[2]))
#else
#define DIFFER (IN(0,U) && IN(1,U) && d[0]!=d[1])
#endif
inline eject(m)
{
	k=UBASE&~B(m);
#ifdef M_PROMOTELAST
	if :: k==0 -> k=Y&~B(m) :: else fi;
#endif
	Y=ACT&~k&~B(m); U=k; syn=syn&U; Ae=Ae&~B(m); n++; est=0; printf("EV c%d ejects %d: view %d.%d U %d Y %d\n",id,m,e,n,U,Y);
	if :: U==0 -> reset() :: else fi; k=0
}
#ifdef N_READEST
#define ADDED(m) 0
#else
#define ADDED(m) (!IN(m,Ae))		/* R4.3: the view that added the leg is not established */
#endif
#define READS(m) (ph==LIVE && wr==0 && !ADDED(m) && (IN(m,U) || (IN(m,Y) && IN(m,syn))) && OK(m) && LEASE)

#define CAN_PROMISE(m) (ph==ASKING && !IN(m,got) && (ep[m]<e || EPANY))
#ifdef N_EPOCH
#define EPANY 1
#else
#define EPANY 0
#endif

/* what a client does with node m */
#define NODE_STEPS(m) \
	:: d_step { CAN_PROMISE(m) -> promise(m) } \
	:: d_step { (ph==TELLING || ph==LIVE) && TELL(m) && OK(m) -> tell(m) } \
	DETACH_STEP(m)
#ifdef DETACH
#define DETACH_STEP(m) :: d_step { ph==LEAVING && cl[m]!=e && OK(m) -> cl[m]=e; printf("EV c%d detached: %d is clean\n",id,m) }
#else
#define DETACH_STEP(m)
#endif
/* what a client does with member m */
#define MEMBER_STEPS(m) \
	:: d_step { CAN_DEMOTE(m) -> demote(m) } \
	:: d_step { ph==LIVE && wr!=0 && IN(m,ACT) && !IN(m,ans) && OK(m) -> d[m]=wr; ans=ans|B(m); printf("EV c%d write %d at %d\n",id,wr,m) } \
	:: d_step { ph==LIVE && IN(m,ACT) && !FULL -> eject(m) } \
	:: d_step { ph==LIVE && wr==0 && STEADY && !IN(m,ACT) && !FULL && ep[m]<=e -> ep[m]=e; Y=Y|B(m); syn=syn&~B(m); n++; est=0; \
		printf("EV c%d return of %d: view %d.%d U %d Y %d\n",id,m,e,n,U,Y) } \
	:: d_step { ph==LIVE && IN(m,Y) && !FULL && STEADY && SYNCED(m) -> U=U|B(m); Y=Y&~B(m); n++; est=0; \
		printf("EV c%d promotes %d: view %d.%d U %d Y %d\n",id,m,e,n,U,Y) } \
	:: d_step { READS(m) && d[m]<acked -> printf("EV c%d reads %d = %d, acknowledged %d\n",id,m,d[m],acked); assert(I1_durability) } \
	:: d_step { READS(m) && d[m]<maxread -> printf("EV c%d reads %d = %d after %d\n",id,m,d[m],maxread); assert(I3_no_time_travel) } \
	:: d_step { READS(m) && d[m]>maxread -> maxread=d[m]; printf("EV c%d reads %d = %d\n",id,m,d[m]) }
#define SYNC_STEP(m,s) \
	:: d_step { ph==LIVE && wr==0 && IN(m,Y) && !IN(m,syn) && IN(s,U) && OK(m) && OK(s) -> d[m]=d[s]; syn=syn|B(m); printf("EV c%d resync of %d\n",id,m) }

proctype client(bit id)
{
	mtype ph=GONE;
	byte e, n, vE, U, Y, Ue, Ae, est, ans, wr, syn, got;
#ifdef M_WAITLATE
	bool late;
#endif
	bool dm;
	do
	:: d_step { ph==GONE && attaches<MAXE && (attaches>0 || id==0) -> attaches++;
#ifndef N_EPOCH
		topep++; e=topep;
#endif
		ph=ASKING; printf("EV c%d attaches, epoch %d\n",id,e) }
	:: d_step { ph==ASKING && ENOUGH && !MUSTWAIT -> first_view() }
#ifdef M_WAITLATE	/* the view is told while the wait runs */
	:: d_step { ph==ASKING && ENOUGH && MUSTWAIT -> late=1; printf("EV c%d begins to wait\n",id); first_view() }
	:: d_step { ph==TELLING && late -> late=0; held[1-id]=0; printf("EV c%d waited\n",id) }
#else
	:: d_step { ph==ASKING && ENOUGH && MUSTWAIT -> held[1-id]=0; printf("EV c%d waits, promised %d\n",id,got); first_view() }
#endif
	:: d_step { ph==TELLING && EST && WAITED && !DIFFER -> ph=LIVE; dm=0; printf("EV c%d live, view %d.%d U %d Y %d\n",id,e,n,U,Y) }
	:: d_step { ph==LIVE && wr==0 && nver<MAXW -> nver++; wr=nver; ans=0 }
	:: d_step { ph==LIVE && CANACK -> printf("EV c%d: ack of %d\n",id,wr); if :: wr>acked -> acked=wr :: else fi; wr=0; ans=0 }
#ifdef DETACH
	:: d_step { ph==LIVE && wr==0 && EST && attaches<MAXE -> ph=LEAVING; ce[id]=0; held[id]=0; printf("EV c%d detaches\n",id) }
#endif
	:: d_step { ph!=GONE && attaches<MAXE -> printf("EV c%d dies\n",id); reset() }
	NODE_STEPS(0)
	NODE_STEPS(1)
	MEMBER_STEPS(0)
	MEMBER_STEPS(1)
	SYNC_STEP(0,1)
	SYNC_STEP(1,0)
#if NN>2
	NODE_STEPS(2)
#endif
#if NM>2
	MEMBER_STEPS(2)
	SYNC_STEP(0,2)
	SYNC_STEP(1,2)
	SYNC_STEP(2,0)
	SYNC_STEP(2,1)
#endif
	od
}

init {
	d_step {
		x=0; do :: x<NN -> vn[x]=1;
#ifdef INITY	/* member 0 up to date, the others syncing */
			vu[x]=1; vy[x]=ALL&~1;
#else
			vu[x]=ALL; vy[x]=0;
#endif
			x++ :: else -> break od;
		x=0
	}
	atomic { run client(0); run client(1) }
}
