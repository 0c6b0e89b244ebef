typedef unsigned u; typedef int i32; typedef long long i64; typedef unsigned long long u64;
static float F(u a){union{u a;float f;}x={a};return x.f;} static u B(float f){union{float f;u a;}x={f};return f!=f?0x7fc00000:x.a;}
void run(const u*in,u*out){
 for(int i=0;i<64;i++){ u a=in[i], b=in[(i+1)&63]; if(i>=32 && i<48){ a=(a&0x807fffff)|(((a>>23&15)+120)<<23); b=(b&0x807fffff)|(((b>>23&15)+120)<<23);} float x=F(a),y=F(b); u r=0;
  switch(i&15){
  case 0: r=B(x+y);break; case 1:r=B(x-y);break; case 2:r=B(x*y);break; case 3:r=B(x/y);break; case 4: r=x<y;break; case 5:r=x<=y;break;case 6:r=x==y;break;case 7:r=x!=y;break;case 8:r=x>y;break;
  case 9:r=x>=y;break; case 10:r=B((float)(i32)a);break; case 11:r=B((float)a);break; case 12: r= x>-2e9f&&x<2e9f?(u)(i32)x:0;break; case 13: r=x>=0&&x<4e9f?(u)x:0;break; case 14:r=B((float)(i64)((u64)a<<32|b));break; case 15: r=B(x*y+x-y/x);break;}
  out[i]=r; } }
